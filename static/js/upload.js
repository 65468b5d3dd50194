// Shows a chosen picture before it is sent, takes one that is dropped, and says when it is too large.
// <div class="uploader" data-upload data-max="8388608"> holds <span class="uploader-preview"> and <input type="file">.
const megabytes = bytes => `${(bytes / 1048576).toFixed(1)} MB`

for (const box of document.querySelectorAll('[data-upload]')) {
	const input = box.querySelector('input[type=file]')
	const preview = box.querySelector('.uploader-preview')
	if (!input || !preview) continue
	const said = document.createElement('p')
	said.className = 'hint'
	said.setAttribute('role', 'status')
	input.after(said)
	const max = Number(box.dataset.max) || Infinity
	let shown = null

	const show = () => {
		const file = input.files[0]
		if (shown) URL.revokeObjectURL(shown)
		shown = null
		preview.replaceChildren()
		said.textContent = ''
		if (!file) return
		if (file.size > max) {
			said.textContent = `${file.name} has ${megabytes(file.size)}; up to ${megabytes(max)} can be sent.`
			input.value = ''
			return
		}
		shown = URL.createObjectURL(file)
		const image = new Image()
		image.alt = ''
		image.src = shown
		image.onload = () => { said.textContent = `${image.naturalWidth} × ${image.naturalHeight}, ${megabytes(file.size)}` }
		preview.append(image)
	}
	input.addEventListener('change', show)
	for (const type of ['dragover', 'dragleave', 'drop']) {
		box.addEventListener(type, event => {
			event.preventDefault()
			box.classList.toggle('is-over', type === 'dragover')
			if (type === 'drop' && event.dataTransfer.files.length) {
				input.files = event.dataTransfer.files
				show()
			}
		})
	}
}
