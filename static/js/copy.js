// <button type="button" data-copy="TEXT" hidden> copies its text.
if (navigator.clipboard) {
	for (const button of document.querySelectorAll('[data-copy]')) {
		button.hidden = false
		const said = button.querySelector('[data-label]') ?? button
		const label = said.textContent
		button.addEventListener('click', async () => {
			try {
				await navigator.clipboard.writeText(button.dataset.copy)
				said.textContent = 'Copied'
			} catch {
				said.textContent = 'Not copied'
			}
			setTimeout(() => { said.textContent = label }, 2500)
		})
	}
}
