// Marks in a post's contents the section that is being read.
const links = new Map([...document.querySelectorAll('.contents-l a[href^="#"]')]
	.map(link => [document.getElementById(decodeURIComponent(link.hash.slice(1))), link])
	.filter(([heading]) => heading))

if (links.size && 'IntersectionObserver' in window) {
	const headings = [...links.keys()]
	const mark = () => {
		const line = innerHeight * .3
		const current = headings.findLast(heading => heading.getBoundingClientRect().top < line) ?? headings[0]
		for (const [heading, link] of links) {
			if (heading === current) link.setAttribute('aria-current', 'true')
			else link.removeAttribute('aria-current')
		}
	}
	const observer = new IntersectionObserver(mark, {rootMargin: '0px 0px -70% 0px', threshold: [0, 1]})
	headings.forEach(heading => observer.observe(heading))
	mark()
}
