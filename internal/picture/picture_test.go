package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/cdfoundation/portal/internal/picture"
)

var red, blue = color.NRGBA{200, 30, 30, 255}, color.NRGBA{30, 30, 200, 255}

// marked is a blue picture with a red square at its top left corner.
func marked(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, blue)
			if x < w/4 && y < h/4 {
				m.SetNRGBA(x, y, red)
			}
		}
	}
	return m
}

// photo is a JPEG whose Exif data gives an orientation and a place.
func photo(t *testing.T, orientation uint16) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, marked(80, 40), nil); err != nil {
		t.Fatal(err)
	}
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, "\x00\x00\x00\x00\x00\x00GPS 52.5 N 13.4 E"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(segment)+2))
	return append(append(head, segment...), out.Bytes()[2:]...)
}

func corner(t *testing.T, p picture.Picture) string {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(p.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	isRed := func(x, y int) bool { r, _, b, _ := m.At(x, y).RGBA(); return r > b }
	right, bottom := p.Width-3, p.Height-3
	switch {
	case isRed(2, 2):
		return "top left"
	case isRed(right, 2):
		return "top right"
	case isRed(2, bottom):
		return "bottom left"
	case isRed(right, bottom):
		return "bottom right"
	}
	return "none"
}

func TestPhotosAreTurnedUpright(t *testing.T) {
	for orientation, want := range map[uint16]struct {
		corner        string
		width, height int
	}{
		0: {"top left", 80, 40}, 1: {"top left", 80, 40}, 2: {"top right", 80, 40}, 3: {"bottom right", 80, 40}, 4: {"bottom left", 80, 40},
		5: {"top left", 40, 80}, 6: {"top right", 40, 80}, 7: {"bottom right", 40, 80}, 8: {"bottom left", 40, 80}, 9: {"top left", 80, 40},
	} {
		p, err := picture.Read(bytes.NewReader(photo(t, orientation)))
		if err != nil {
			t.Fatal(err)
		}
		if got := corner(t, p); got != want.corner || p.Width != want.width || p.Height != want.height {
			t.Errorf("orientation %d: red square %s of %d × %d, want %s of %d × %d", orientation, got, p.Width, p.Height, want.corner, want.width, want.height)
		}
		if bytes.Contains(p.Bytes, []byte("GPS")) || bytes.Contains(p.Bytes, []byte("Exif")) {
			t.Errorf("orientation %d: the place is still in the file", orientation)
		}
	}
}

func TestLargePicturesAreMadeSmaller(t *testing.T) {
	var out bytes.Buffer
	if err := png.Encode(&out, marked(3000, 1500)); err != nil {
		t.Fatal(err)
	}
	p, err := picture.Read(&out)
	if err != nil || p.Width != 1280 || p.Height != 640 || p.ContentType != "image/jpeg" {
		t.Errorf("%d × %d %s, %v", p.Width, p.Height, p.ContentType, err)
	}
}

func TestWhatShinesThroughStaysSo(t *testing.T) {
	m := marked(20, 20)
	m.SetNRGBA(10, 10, color.NRGBA{})
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	p, err := picture.Read(&out)
	if err != nil || p.ContentType != "image/png" || p.Extension != ".png" {
		t.Errorf("%s %s, %v", p.ContentType, p.Extension, err)
	}
}

// bomb is a PNG of a few bytes that claims to be as large as it can.
func bomb(width, height uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, width)
	chunk = binary.BigEndian.AppendUint32(chunk, height)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

func TestWhatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		source []byte
		want   error
	}{
		{"an empty file", nil, picture.ErrFormat},
		{"a drawing that could hold scripts", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), picture.ErrFormat},
		{"a moving picture", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), picture.ErrFormat},
		{"a photo cut short", photo(t, 1)[:200], picture.ErrFormat},
		{"a small file that claims many pixels", bomb(60_000, 60_000), picture.ErrTooManyPx},
		{"a small file that claims a very long line", bomb(2_000_000_000, 1), picture.ErrTooManyPx},
		{"a file that is too large", make([]byte, picture.MaxBytes+1), picture.ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := picture.Read(bytes.NewReader(tt.source)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(bomb(1, 1))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if p, err := picture.Read(bytes.NewReader(source)); err == nil && (p.Width < 1 || len(p.Bytes) == 0) {
			t.Error("a picture of nothing")
		}
	})
}
