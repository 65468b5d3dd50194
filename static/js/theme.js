// Light, dark, or as the system says. A classic script in the head: the choice must hold before the first paint.
(() => {
	const root = document.documentElement
	const names = {system: 'as the system says', light: 'light', dark: 'dark'}
	const next = {system: 'light', light: 'dark', dark: 'system'}
	let theme = 'system'
	try { theme = localStorage.getItem('theme') ?? 'system' } catch { /* storage is refused: the choice lasts for this page */ }
	if (!(theme in names)) theme = 'system'

	const apply = () => {
		if (theme === 'system') delete root.dataset.theme
		else root.dataset.theme = theme
		for (const button of document.querySelectorAll('[data-theme-switch]')) {
			button.hidden = false
			button.dataset.state = theme
			button.setAttribute('aria-label', `Colours: ${names[theme]}. Switch to ${names[next[theme]]}`)
			button.title = `Colours: ${names[theme]}`
		}
	}
	apply()
	document.addEventListener('DOMContentLoaded', apply)
	document.addEventListener('click', event => {
		if (!event.target.closest?.('[data-theme-switch]')) return
		theme = next[theme]
		try {
			if (theme === 'system') localStorage.removeItem('theme')
			else localStorage.setItem('theme', theme)
		} catch { /* as above */ }
		apply()
	})
})()
