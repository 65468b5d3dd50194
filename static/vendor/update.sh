#!/bin/sh
# Fetches the pinned third-party files and turns them into assets: web fonts, the fonts of share images, the map, and the
# list of common passwords.
# Run by `make vendor-assets` after a version in package.json changed; its results are committed, so a build needs
# neither Node nor Python. Wants node, npm, fonttools with brotli, woff2.
set -eu
cd "$(dirname "$0")"
fonts=../fonts
artwork=../../internal/artwork
common=../../internal/auth/common
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Without it each run would write the time into the fonts, and the same input would give other files.
export SOURCE_DATE_EPOCH=1577836800

npm ci --silent

# web FAMILY SUBSET STYLE WEIGHTS FEATURES: one woff2 with fewer weights and features than the package has.
web() {
	src=node_modules/@fontsource-variable/$1/files/$1-$2-wght-$3.woff2
	name=$1-$2$([ "$3" = italic ] && printf -- -italic || true)
	fonttools varLib.instancer --quiet "$src" "wght=$4" -o "$tmp/$name.ttf"
	pyftsubset "$tmp/$name.ttf" --unicodes='*' --layout-features="$5" --no-hinting --desubroutinize \
		--name-IDs=0,1,2,13,14 --flavor=woff2 --output-file="$fonts/$name.woff2"
}

text=kern,liga,mark,mkmk,ccmp,locl
mkdir -p "$fonts" "$artwork/fonts"
for subset in latin latin-ext; do
	web figtree $subset normal 400:700 $text,tnum
	web source-serif-4 $subset normal 400:700 $text,onum
	web source-serif-4 $subset italic 400:600 $text
	web jetbrains-mono $subset normal 400:700 $text,zero
done

# A share image is drawn in one weight; opentype in Go reads neither woff2 nor variable fonts.
for subset in latin latin-ext; do
	cp node_modules/@fontsource-variable/figtree/files/figtree-$subset-wght-normal.woff2 "$tmp/"
	woff2_decompress "$tmp/figtree-$subset-wght-normal.woff2"
	fonttools varLib.instancer --quiet "$tmp/figtree-$subset-wght-normal.ttf" wght=680 -o "$tmp/bold-$subset.ttf"
	pyftsubset "$tmp/bold-$subset.ttf" --unicodes='*' --layout-features=$text --no-hinting --name-IDs=0,1,2,13,14 \
		--output-file="$artwork/fonts/figtree-$subset.ttf"
done

for family in figtree source-serif-4 jetbrains-mono; do
	cp node_modules/@fontsource-variable/$family/LICENSE "$fonts/$family-LICENSE.txt"
done
cp node_modules/@fontsource-variable/figtree/LICENSE "$artwork/fonts/figtree-LICENSE.txt"
cp node_modules/world-atlas/LICENSE* world-atlas-LICENSE.txt

mkdir -p "$common"
node -e '
	const list = JSON.parse(require("fs").readFileSync("node_modules/@zxcvbn-ts/language-common/src/passwords.json"))
	const words = new Set(list.map(w => w.toLowerCase()).filter(w => w.length >= 4 && /^[!-~]+$/.test(w)))
	console.log([...words].sort().join("\n"))' | gzip -9n > "$common/passwords.txt.gz"
cp node_modules/@zxcvbn-ts/language-common/LICENSE.txt "$common/"

mkdir -p ../img "$artwork/testdata"
node map.mjs ../img/world.svg "$artwork/testdata/cities.json"

{
	echo "Third-party files, made by update.sh from package-lock.json."
	echo
	node -e '
		const lock = JSON.parse(require("fs").readFileSync("package-lock.json"))
		for (const [path, p] of Object.entries(lock.packages))
			if (path) console.log(path.replace("node_modules/", ""), p.version, p.license)'
	echo
	(cd .. && sha256sum fonts/*.woff2 img/world.svg ../internal/auth/common/passwords.txt.gz)
} > VERSIONS.txt
