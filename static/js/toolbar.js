// Buttons above a Markdown source: <div class="toolbar" data-toolbar="body-id" role="toolbar" aria-label="Format"></div>.
// They write through execCommand, so that the browser's own undo takes them back.
const path = d => `<svg class="i" viewBox="0 0 20 20" aria-hidden="true"><path d="${d}"/></svg>`
const tools = [
	['Heading', '<b aria-hidden="true">H</b>', {line: '## '}],
	['Bold', '<b aria-hidden="true">B</b>', {around: '**', key: 'b'}],
	['Italic', '<i aria-hidden="true">I</i>', {around: '_', key: 'i'}],
	[],
	['Link', path('M8.5 11.5a3 3 0 0 0 4.300 0l3-3a3 3 0 0 0-4.300-4.300l-1 1M11.5 8.5a3 3 0 0 0-4.300 0l-3 3a3 3 0 0 0 4.300 4.300l1-1'), {link: true, key: 'k'}],
	['List', path('M8 5h9M8 10h9M8 15h9M3.5 5h.1M3.5 10h.1M3.5 15h.1'), {line: '- '}],
	['Quote', path('M4 6h4v4c0 2-1 3.5-3 4M11.5 6h4v4c0 2-1 3.5-3 4'), {line: '> '}],
	['Code', path('m7 6-4 4 4 4M13 6l4 4-4 4'), {code: true}],
	[],
	['Picture', path('M3 4.5h14v11H3zM3 13l4-4 4 4 2.5-2.5L17 14'), {picture: true}],
]

function write(source, text, from, to) {
	source.focus()
	if (!document.execCommand('insertText', false, text)) source.setRangeText(text)
	source.setSelectionRange(from, to)
	source.dispatchEvent(new Event('input', {bubbles: true}))
}

function use(source, tool) {
	let {selectionStart: start, selectionEnd: end, value} = source
	if (tool.line) {
		start = value.lastIndexOf('\n', start - 1) + 1
		source.setSelectionRange(start, end)
		const lines = value.slice(start, end).split('\n')
		const on = lines.every(line => line.startsWith(tool.line))
		const text = lines.map(line => on ? line.slice(tool.line.length) : tool.line + line).join('\n')
		return write(source, text, start + text.length, start + text.length)
	}
	const chosen = value.slice(start, end)
	if (tool.link) return write(source, `[${chosen || 'words'}](https://)`, start + (chosen || 'words').length + 3, start + (chosen || 'words').length + 11)
	if (tool.picture) return write(source, `![${chosen}](/media/ "Caption | Credit")`, start + 2, start + 2 + chosen.length)
	if (tool.code && chosen.includes('\n')) return write(source, `\`\`\`\n${chosen}\n\`\`\``, start + 3, start + 3)
	const mark = tool.code ? '`' : tool.around
	write(source, mark + chosen + mark, start + mark.length, end + mark.length)
}

for (const bar of document.querySelectorAll('[data-toolbar]')) {
	const source = document.getElementById(bar.dataset.toolbar)
	if (!source) continue
	for (const [name, face, tool] of tools) {
		if (!name) {
			bar.append(Object.assign(document.createElement('span'), {className: 'gap'}))
			continue
		}
		const button = Object.assign(document.createElement('button'), {type: 'button', className: 'icon-btn', innerHTML: face, title: name})
		button.setAttribute('aria-label', name)
		button.addEventListener('click', () => use(source, tool))
		bar.append(button)
	}
	source.addEventListener('keydown', event => {
		if (!(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return
		const found = tools.find(([, , tool]) => tool?.key === event.key)
		if (!found) return
		event.preventDefault()
		use(source, found[2])
	})
}
