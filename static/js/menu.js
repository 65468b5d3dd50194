// Closes a <details class="menu"> or "drop" on Escape, on a click beside it, and when the focus leaves it.
const open = () => document.querySelectorAll('details:is(.menu, .drop)[open]')

document.addEventListener('keydown', event => {
	if (event.key !== 'Escape') return
	for (const menu of open()) {
		menu.open = false
		menu.querySelector('summary').focus()
	}
})

for (const type of ['click', 'focusin']) {
	document.addEventListener(type, event => {
		for (const menu of open()) if (!menu.contains(event.target)) menu.open = false
	})
}
