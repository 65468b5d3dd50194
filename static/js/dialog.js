// <button type="button" data-dialog="cancel"> opens <dialog id="cancel">; a click on the backdrop closes it.
// Without it the button is a link to a page that asks the same.
document.addEventListener('click', event => {
	const opener = event.target.closest?.('[data-dialog]')
	if (opener) {
		const dialog = document.getElementById(opener.dataset.dialog)
		if (!dialog?.showModal) return
		event.preventDefault()
		dialog.showModal()
		return
	}
	if (event.target.closest?.('[data-dialog-close]')) event.target.closest('dialog')?.close()
	if (event.target.matches?.('dialog')) {
		const box = event.target.getBoundingClientRect()
		const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom
		if (!inside) event.target.close()
	}
})
