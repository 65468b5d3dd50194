// Gives every block of code a button that copies it.
const icon = '<svg class="i i-s" viewBox="0 0 20 20" aria-hidden="true"><path d="M7 7h9v9H7zM4 13V4h9"/></svg>'

function addButton(pre) {
	let figure = pre.closest('.code')
	if (!figure) {
		figure = document.createElement('figure')
		figure.className = 'code'
		pre.replaceWith(figure)
		figure.append(pre)
	}
	let head = figure.querySelector('figcaption')
	if (!head) {
		head = document.createElement('figcaption')
		figure.prepend(head)
	}
	const button = document.createElement('button')
	button.type = 'button'
	button.className = 'btn btn-quiet btn-sm copy'
	button.innerHTML = `${icon}<span aria-live="polite">Copy</span>`
	const said = button.lastElementChild
	button.addEventListener('click', async () => {
		try {
			await navigator.clipboard.writeText(pre.innerText.replace(/\n$/, ''))
			said.textContent = 'Copied'
		} catch {
			getSelection().selectAllChildren(pre)
			said.textContent = 'Press Ctrl+C'
		}
		setTimeout(() => { said.textContent = 'Copy' }, 2500)
	})
	head.append(button)
}

if (navigator.clipboard) document.querySelectorAll('.prose pre').forEach(addButton)
