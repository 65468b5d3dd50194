// Passkeys. <form data-passkey> is shown where the browser has them; sending it asks for one first. With data-passkey-options
// it makes a new one. With data-passkey-offered the browser also offers one where the address is typed.
const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON
let offered

const answer = (form, credential, challenge) => {
	form.querySelector('[data-passkey-answer]').value = JSON.stringify(credential)
	form.querySelector('[data-passkey-challenge]').value = challenge
	form.submit()
}

const ask = async extra => {
	const response = await fetch('/login/passkey')
	if (!response.ok) throw new Error(response.status)
	const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await response.json())
	return [await navigator.credentials.get({publicKey, ...extra}), response.headers.get('Passkey-Challenge')]
}

for (const form of able ? document.querySelectorAll('form[data-passkey]') : []) {
	form.hidden = false
	const said = form.querySelector('[data-passkey-said]')
	form.addEventListener('submit', async event => {
		event.preventDefault()
		offered?.abort()
		if (said) said.hidden = true
		try {
			const options = form.dataset.passkeyOptions
			if (options) {
				const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options))
				answer(form, await navigator.credentials.create({publicKey}), form.querySelector('[data-passkey-challenge]').value)
			} else {
				answer(form, ...await ask())
			}
		} catch (error) {
			if (said) {
				said.textContent = error.name === 'InvalidStateError' ? said.dataset.have : said.dataset.failed
				said.hidden = false
			}
		}
	})
	if ('passkeyOffered' in form.dataset && await PublicKeyCredential.isConditionalMediationAvailable?.()) {
		offered = new AbortController()
		ask({mediation: 'conditional', signal: offered.signal}).then(found => answer(form, ...found), () => {})
	}
}
