// Comforts of forms: the error summary takes the focus, its links focus their fields, counters count, and a form is sent once.
const summary = document.querySelector('.summary')
summary?.focus()
summary?.addEventListener('click', event => {
	const field = document.getElementById(event.target.closest('a')?.hash.slice(1))
	if (!field) return
	event.preventDefault()
	field.focus()
	field.closest('.field, fieldset')?.scrollIntoView({block: 'center'})
})

// <span class="counter" data-counter-for="excerpt"></span> says how many characters are left of maxlength or data-max.
for (const counter of document.querySelectorAll('[data-counter-for]')) {
	const field = document.getElementById(counter.dataset.counterFor)
	if (!field) continue
	const max = Number(field.dataset.max ?? field.maxLength)
	const show = () => {
		const left = max - [...field.value].length
		counter.textContent = max > 0 ? `${left} characters left` : `${[...field.value].length} characters`
	}
	field.addEventListener('input', show)
	show()
}

document.addEventListener('submit', event => {
	if (event.defaultPrevented || event.target.method !== 'post') return
	if (event.target.dataset.sent) {
		event.preventDefault()
		return
	}
	event.target.dataset.sent = 'yes'
})
// A page that comes back by the browser's own Back is a form again.
addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(form => delete form.dataset.sent))
