// <button type="button" data-print hidden> prints the page, or saves it as a file.
for (const button of document.querySelectorAll('[data-print]')) {
	button.hidden = false
	button.addEventListener('click', () => print())
}
