// Narrows a list that is on the page already: <form data-filter="#groups">, rows with data-text, data-country,
// data-languages, data-topics. The dot of a row on a map is the element pin- and its data-slug. Without the script the
// same form asks the server.
const fold = text => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

for (const form of document.querySelectorAll('form[data-filter]')) {
	const list = document.querySelector(form.dataset.filter)
	if (!list) continue
	const rows = [...list.querySelectorAll('[data-text]')].map(row => ({row, text: fold(row.dataset.text)}))
	const said = document.querySelector(form.dataset.filterCount)
	const none = document.querySelector(form.dataset.filterEmpty)
	const narrowed = document.querySelectorAll('[data-filter-words]')
	for (const button of form.querySelectorAll('[data-filter-submit]')) button.hidden = true

	const apply = () => {
		const fields = new FormData(form)
		const words = fold(String(fields.get('q') ?? '')).split(/\s+/).filter(Boolean)
		const country = fields.get('country')
		const topic = fields.get('topic')
		const language = fields.get('language')
		let shown = 0
		for (const {row, text} of rows) {
			const fits = words.every(word => text.includes(word)) &&
				(!country || row.dataset.country === country) &&
				(!language || (row.dataset.languages ?? '').split(' ').includes(language)) &&
				(!topic || (row.dataset.topics ?? '').split(' ').includes(topic))
			row.hidden = !fits
			document.getElementById(`pin-${row.dataset.slug}`)?.classList.toggle('is-hidden', !fits)
			if (fits) shown++
		}
		if (said) said.textContent = shown
		if (none) none.hidden = shown > 0
		// They say what the server had narrowed the list to.
		for (const words of narrowed) words.textContent = ''
		for (const section of list.querySelectorAll('[data-section]')) section.hidden = !section.querySelector('[data-text]:not([hidden])')
		const query = new URLSearchParams([...fields].filter(([, value]) => value))
		history.replaceState(null, '', query.size ? `?${query}` : location.pathname)
	}
	form.addEventListener('input', apply)
	form.addEventListener('submit', event => { event.preventDefault(); apply() })
}
