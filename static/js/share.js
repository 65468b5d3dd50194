// <button type="button" data-share hidden> opens the system's share sheet, or copies the address where there is none.
for (const button of document.querySelectorAll('[data-share]')) {
	const url = document.querySelector('link[rel=canonical]')?.href ?? location.href
	if (!navigator.share && !navigator.clipboard) continue
	button.hidden = false
	button.addEventListener('click', async () => {
		try {
			if (navigator.share) {
				await navigator.share({title: document.title, url})
				return
			}
			await navigator.clipboard.writeText(url)
			const label = button.querySelector('[data-label]') ?? button
			label.textContent = 'Link copied'
		} catch { /* the visitor closed the sheet */ }
	})
}
