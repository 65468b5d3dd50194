// A form that writes Markdown: live preview, a copy of the draft in this browser, and a warning before unsaved words are left.
// <form data-editor data-preview-url="…" data-draft-key="post-12"> with <textarea name="body"> and [data-preview]
// for the HTML that the address answers to the form's fields; an element [data-findings] in the answer moves to the page's own.
const form = document.querySelector('form[data-editor]')
if (form) start(form)

function start(form) {
	const preview = document.querySelector('[data-preview]')
	const pane = preview?.closest('.preview')
	const status = document.querySelector('[data-editor-status]')
	const key = `draft:${form.dataset.draftKey}`
	const written = [...form.elements].filter(field => field.name && /^(textarea|text)$/.test(field.type))
	const values = () => JSON.stringify(Object.fromEntries(written.map(field => [field.name, field.value])))
	const saved = values()
	let timer, request, sending = false

	const say = text => { if (status) status.textContent = text }
	const store = action => { try { return action(localStorage) } catch { return null } }

	async function refresh() {
		if (!preview || !form.dataset.previewUrl) return
		request?.abort()
		request = new AbortController()
		pane?.classList.add('is-old')
		try {
			const answer = await fetch(form.dataset.previewUrl, {method: 'POST', body: new URLSearchParams(new FormData(form)), signal: request.signal})
			if (!answer.ok) throw new Error(answer.status)
			preview.innerHTML = await answer.text()
			const found = preview.querySelector('[data-findings]')
			if (found) document.querySelector('.status-line [data-findings]')?.replaceWith(found)
			pane?.classList.remove('is-old')
			say('')
		} catch (error) {
			if (error.name !== 'AbortError') say('The preview is behind: the server did not answer.')
		}
	}

	form.addEventListener('input', () => {
		clearTimeout(timer)
		timer = setTimeout(() => {
			store(local => local.setItem(key, values()))
			refresh()
		}, 400)
	})
	form.addEventListener('submit', () => {
		sending = true
		store(local => local.removeItem(key))
	})
	addEventListener('beforeunload', event => { if (!sending && values() !== saved) event.preventDefault() })
	document.addEventListener('keydown', event => {
		if (event.key !== 's' || !(event.metaKey || event.ctrlKey)) return
		event.preventDefault()
		form.requestSubmit(form.querySelector('[data-save]'))
	})

	const kept = store(local => local.getItem(key))
	if (kept && kept !== saved && status) {
		const button = document.createElement('button')
		button.type = 'button'
		button.className = 'link'
		button.textContent = 'Bring back what this browser kept'
		button.addEventListener('click', () => {
			for (const [name, value] of Object.entries(JSON.parse(kept))) if (form.elements[name]) form.elements[name].value = value
			button.remove()
			refresh()
		})
		status.after(button)
	}

	const modes = document.querySelectorAll('.mode [data-mode]')
	const show = mode => {
		form.closest('.editor').dataset.mode = mode
		for (const button of modes) button.setAttribute('aria-pressed', button.dataset.mode === mode)
	}
	for (const button of modes) button.addEventListener('click', () => show(button.dataset.mode))
	if (modes.length) {
		modes[0].parentElement.hidden = false
		show('write')
	}

	// A finding leads to its line.
	document.addEventListener('click', event => {
		const line = Number(event.target.closest('[data-line]')?.dataset.line)
		const source = form.elements.body
		if (!line || !source) return
		if (modes.length) show('write')
		const lines = source.value.split('\n')
		const start = lines.slice(0, line - 1).join('\n').length + (line > 1)
		source.focus()
		source.setSelectionRange(start, start + (lines[line - 1] ?? '').length)
	})
}
