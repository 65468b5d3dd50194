// Package picture reads pictures that people upload and writes them anew: upright, of a modest size, and without
// anything that the camera or a program added to them, such as the place. It knows neither tables nor HTTP.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"sync"

	xdraw "golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decodes what phones and browsers save
)

// The limits of what is read.
const (
	MaxBytes  = 10 << 20
	MaxPixels = 40_000_000
)

// maxSide is the longest side that is kept, in pixels.
const maxSide = 1280

// The refusals. Each says what a person can do about it.
var (
	ErrFormat    = errors.New("the picture is no JPEG, PNG or WebP")
	ErrTooLarge  = fmt.Errorf("the picture has more than %d MB", MaxBytes>>20)
	ErrTooManyPx = fmt.Errorf("the picture has more than %d million pixels", MaxPixels/1_000_000)
)

// Picture is a picture as it is served.
type Picture struct {
	Bytes         []byte
	ContentType   string // image/jpeg, or image/png where something shines through
	Extension     string // with its dot
	Width, Height int    // pixels
}

// decoding lets one picture at a time into memory: the largest takes some 250 MB.
var decoding sync.Mutex

// Read takes a JPEG, PNG or WebP and writes it anew. Its size in pixels is judged before it is decoded, so that a small
// file cannot ask for much memory.
func Read(r io.Reader) (Picture, error) {
	source, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Picture{}, fmt.Errorf("read picture: %w", err)
	}
	if len(source) > MaxBytes {
		return Picture{}, ErrTooLarge
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(source))
	if err != nil || config.Width < 1 || config.Height < 1 {
		return Picture{}, ErrFormat
	}
	if config.Width > MaxPixels || config.Height > MaxPixels/config.Width {
		return Picture{}, ErrTooManyPx
	}
	decoding.Lock()
	defer decoding.Unlock()
	decoded, _, err := image.Decode(bytes.NewReader(source))
	if err != nil {
		return Picture{}, ErrFormat
	}
	turn := 1
	if format == "jpeg" {
		turn = orientation(source)
	}
	return encode(upright(scaled(decoded), turn))
}

// scaled copies a picture, smaller if it is larger than what is kept.
func scaled(source image.Image) *image.NRGBA {
	size := source.Bounds().Size()
	width, height := size.X, size.Y
	if longest := max(width, height); longest > maxSide {
		width, height = max(1, width*maxSide/longest), max(1, height*maxSide/longest)
	}
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	if width == size.X && height == size.Y {
		draw.Draw(to, to.Bounds(), source, source.Bounds().Min, draw.Src)
		return to
	}
	xdraw.CatmullRom.Scale(to, to.Bounds(), source, source.Bounds(), xdraw.Src, nil)
	return to
}

// upright undoes an orientation of Exif (2.3, tag 0x0112): 1 is upright, 2 mirrored, 3 upside down, 4 both, and 5 to 8
// lie on their side.
func upright(source *image.NRGBA, orientation int) *image.NRGBA {
	if orientation <= 1 || orientation > 8 {
		return source
	}
	w, h := source.Bounds().Dx(), source.Bounds().Dy()
	outW, outH := w, h
	if orientation >= 5 {
		outW, outH = h, w
	}
	to := image.NewNRGBA(image.Rect(0, 0, outW, outH))
	for y := range outH {
		for x := range outW {
			fromX, fromY := x, y
			switch orientation {
			case 2:
				fromX = w - 1 - x
			case 3:
				fromX, fromY = w-1-x, h-1-y
			case 4:
				fromY = h - 1 - y
			case 5:
				fromX, fromY = y, x
			case 6:
				fromX, fromY = y, h-1-x
			case 7:
				fromX, fromY = w-1-y, h-1-x
			case 8:
				fromX, fromY = w-1-y, x
			}
			to.SetNRGBA(x, y, source.NRGBAAt(fromX, fromY))
		}
	}
	return to
}

func encode(m *image.NRGBA) (Picture, error) {
	p := Picture{ContentType: "image/jpeg", Extension: ".jpg", Width: m.Bounds().Dx(), Height: m.Bounds().Dy()}
	var out bytes.Buffer
	var err error
	if m.Opaque() {
		err = jpeg.Encode(&out, m, &jpeg.Options{Quality: 85})
	} else {
		p.ContentType, p.Extension = "image/png", ".png"
		err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, m)
	}
	if err != nil {
		return Picture{}, fmt.Errorf("write picture: %w", err)
	}
	p.Bytes = out.Bytes()
	return p, nil
}
