// "Near me": <button type="button" data-near="#groups" hidden>. Rows in it with data-lat and data-lon are sorted by their distance,
// which is written into each row's [data-distance]. Where it holds places, as a map does, the server is asked for the list that
// begins with the nearest of them. Where somebody is is asked for on the click only and never leaves the browser.
const radius = 6371
const rad = degrees => degrees * Math.PI / 180

function distance(a, b) {
	const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2 +
		Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lon - a.lon) / 2) ** 2
	return 2 * radius * Math.asin(Math.sqrt(h))
}

function sort(list, here) {
	const rows = [...list.querySelectorAll('[data-lat]')].map(row =>
		({row, km: distance(here, {lat: Number(row.dataset.lat), lon: Number(row.dataset.lon)})}))
	rows.sort((a, b) => a.km - b.km)
	for (const {row, km} of rows) {
		const note = row.querySelector('[data-distance]')
		if (note) note.textContent = `${Math.round(km).toLocaleString()} km`
		list.append(row)
	}
}

function ask(places, here) {
	const away = place => {
		const [lat, lon] = place.dataset.nearPlace.split(',').map(Number)
		return distance(here, {lat, lon})
	}
	const nearest = [...places].reduce((a, b) => away(b) < away(a) ? b : a)
	const list = new URL(location.href)
	list.searchParams.delete('page')
	list.searchParams.set('near', nearest.dataset.nearPlace)
	location.assign(list)
}

for (const button of document.querySelectorAll('[data-near]')) {
	const list = document.querySelector(button.dataset.near)
	if (!list || !navigator.geolocation) continue
	button.hidden = false
	button.addEventListener('click', () => {
		button.setAttribute('aria-busy', 'true')
		navigator.geolocation.getCurrentPosition(({coords}) => {
			const here = {lat: coords.latitude, lon: coords.longitude}
			const places = list.querySelectorAll('[data-near-place]')
			if (places.length) ask(places, here)
			else sort(list, here)
			button.removeAttribute('aria-busy')
		}, () => {
			button.textContent = 'Your place is not known'
			button.disabled = true
		}, {maximumAge: 600000, timeout: 10000})
	})
}
