// Says in the viewer's own zone when something happens: <small data-local="2020-06-18T16:00:00Z" data-zone="America/Los_Angeles" hidden></small>
// fills with "18:00 for you, in Berlin"; it stays hidden where the clocks agree. data-end adds the end, data-day the day
// also where it is the same one.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const page = document.documentElement.lang
const lang = page && page !== 'en' ? page : 'en-GB' // the day before the month, as in the page's own dates
const place = zone?.split('/').pop().replaceAll('_', ' ')

const format = (date, options, timeZone) => new Intl.DateTimeFormat(lang, {...options, timeZone}).format(date)
const clock = {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'}
const day = {weekday: 'short', day: 'numeric', month: 'long'}
const whole = {...day, ...clock}

for (const element of document.querySelectorAll('[data-local]')) {
	const start = new Date(element.dataset.local)
	if (!zone || Number.isNaN(start.getTime())) continue
	const {zone: theirs, end} = element.dataset
	if (theirs && format(start, whole, theirs) === format(start, whole, zone)) continue
	const otherDay = theirs && format(start, day, theirs) !== format(start, day, zone)
	let text = format(start, clock, zone)
	if (otherDay || element.dataset.day !== undefined) text = `${format(start, day, zone).replace(',', '')}, ${text}`
	if (end) text += ` to ${format(new Date(end), clock, zone)}`
	element.textContent = `${text} for you, in ${place}`
	element.hidden = false
}

// Sets the zone that the browser knows where a form asks for one and nobody has chosen yet.
for (const select of document.querySelectorAll('select[data-zone-default]')) {
	if (select.querySelector('[selected]')) continue
	if ([...select.options].some(option => option.value === zone)) select.value = zone
}
