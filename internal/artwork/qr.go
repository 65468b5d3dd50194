package artwork

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// quiet is the margin of a QR code in modules, without which readers miss it (ISO/IEC 18004, section 9.1).
const quiet = 4

// QR returns a QR code of the text as an SVG of 200 by 200 pixels, dark on white with its quiet zone, that survives the
// loss of 15 % of its surface. It is hidden from screen readers: what stands around it names it. It fails for a text that is
// too long for a code, some two thousand letters.
func QR(text string) (svg string, err error) {
	code, err := encodeQR(text)
	if err != nil {
		return "", err
	}
	n := code.Bounds().Dx()
	var b strings.Builder
	size := strconv.Itoa(n + 2*quiet)
	b.WriteString(`<svg width="200" height="200" viewBox="0 0 ` + size + ` ` + size + `" shape-rendering="crispEdges" aria-hidden="true">` +
		`<rect width="` + size + `" height="` + size + `" fill="#fff"/><path fill="#0c131c" d="`)
	for y := range n {
		for x := 0; x < n; x++ {
			length := 0
			for x+length < n && code.At(x+length, y) == color.Black {
				length++
			}
			if length == 0 {
				continue
			}
			l := strconv.Itoa(length)
			b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + l + "v1h-" + l + "z")
			x += length
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}

func encodeQR(text string) (barcode.Barcode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a QR code of %d bytes: %w", len(text), err)
	}
	return code, nil
}
