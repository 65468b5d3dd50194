// Proof of work. A form from a network that sends many has <div data-puzzle="…">: the number whose hash is asked for is looked
// for a few at a time, while people type. Who sends the form earlier sends it when the number is found.
const few = 250

const solve = async ({algorithm, challenge, maxnumber, salt}, tell) => {
	const wanted = challenge.match(/../g).map(pair => parseInt(pair, 16))
	const text = new TextEncoder()
	for (let first = 0; first <= maxnumber; first += few) {
		tell(`${Math.floor(100 * first / maxnumber)} %`)
		const hashes = await Promise.all(Array.from({length: few}, (_, n) => crypto.subtle.digest(algorithm, text.encode(salt + (first + n)))))
		const found = hashes.findIndex(hash => new Uint8Array(hash).every((byte, n) => byte === wanted[n]))
		if (found >= 0) return first + found
	}
	throw new Error('the puzzle has no solution')
}

const box = document.querySelector('[data-puzzle]')
const form = box?.closest('form')
// Without HTTPS browsers do not hash: then people wait, as the box says.
if (form && globalThis.crypto?.subtle) {
	const said = box.querySelector('[data-puzzle-said]')
	const share = box.querySelector('[data-puzzle-share]')
	let over = false
	let sender
	form.addEventListener('submit', event => {
		if (over) return
		event.preventDefault()
		sender = event.submitter
	})
	said.textContent = said.dataset.working
	const {maxnumber, ...question} = JSON.parse(box.dataset.puzzle)
	try {
		const number = await solve({maxnumber, ...question}, done => { share.textContent = done })
		box.querySelector('input').value = btoa(JSON.stringify({...question, number}))
		said.textContent = said.dataset.ready
	} catch {
		said.textContent = said.dataset.failed
	}
	share.textContent = ''
	over = true
	if (sender !== undefined) form.requestSubmit(sender)
}
