// Projects the world's land once: an SVG that pages draw with <use>, and the places that the Go projection is tested with.
import fs from 'node:fs'
import {geoNaturalEarth1, geoPath} from 'd3-geo'
import {feature} from 'topojson-client'

const [svgFile, citiesFile] = process.argv.slice(2)
const width = 1200, height = 560, margin = 4

const topology = JSON.parse(fs.readFileSync('node_modules/world-atlas/land-110m.json'))
const land = feature(topology, topology.objects.land)
const geometry = land.type === 'FeatureCollection' ? land.features[0].geometry : land.geometry
const northernmost = polygon => Math.max(...polygon[0].map(point => point[1]))
const shown = {
	type: 'Feature',
	geometry: {...geometry, coordinates: geometry.coordinates.filter(polygon => northernmost(polygon) > -58)},
}

// Rotated so that the Bering Strait is not cut.
const projection = geoNaturalEarth1().rotate([-11, 0]).fitExtent([[margin, margin], [width - margin, height - margin]], shown)

const ring = text => text.slice(1).split('L').map(pair => pair.split(',').map(Number))
	.filter((point, i, all) => !i || point[0] !== all[i - 1][0] || point[1] !== all[i - 1][1])
const span = values => Math.max(...values) - Math.min(...values)
const tooSmall = points => span(points.map(p => p[0])) * span(points.map(p => p[1])) < 24
const relative = points => 'M' + points[0].join(' ') + 'l' + points.slice(1)
	.map(([x, y], i) => `${x - points[i][0]} ${y - points[i][1]}`).join(' ').replaceAll(' -', '-') + 'z'

const d = geoPath(projection).digits(0)(shown).split('Z').filter(Boolean)
	.map(ring).filter(points => !tooSmall(points)).map(relative).join('')

fs.writeFileSync(svgFile, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">` +
	`<path id="land" d="${d}"/></svg>\n`)

const cities = {
	'San Francisco': [37.77, -122.42], 'Mexico City': [19.43, -99.13], 'São Paulo': [-23.55, -46.63],
	'Santiago': [-33.45, -70.67], 'Reykjavík': [64.15, -21.94], 'London': [51.51, -0.13], 'Berlin': [52.52, 13.41],
	'Cape Town': [-33.92, 18.42], 'Nairobi': [-1.29, 36.82], 'Bengaluru': [12.97, 77.59], 'Beijing': [39.9, 116.41],
	'Tokyo': [35.68, 139.69], 'Sydney': [-33.87, 151.21], 'Wellington': [-41.29, 174.78], 'Honolulu': [21.31, -157.86],
	'Anadyr': [64.73, 177.5], 'beyond the date line': [66, -169.7], 'the equator': [0, 0],
}
const rows = Object.entries(cities).map(([name, [lat, lon]]) => {
	const [x, y] = projection([lon, lat])
	return {name, lat, lon, x: +x.toFixed(4), y: +y.toFixed(4)}
})
fs.writeFileSync(citiesFile, JSON.stringify({scale: projection.scale(), translate: projection.translate(), cities: rows}, null, '\t') + '\n')
