package picture

import (
	"bytes"
	"encoding/binary"
)

// orientation is how a JPEG says that the camera was held: the value of Exif's tag 0x0112, or 1 where it is missing or
// the data is damaged. JPEG's segments are those of ITU-T T.81, B.1; Exif is a TIFF file in the segment APP1.
func orientation(source []byte) int {
	const upright = 1
	if len(source) < 4 || source[0] != 0xFF || source[1] != 0xD8 {
		return upright
	}
	for rest := source[2:]; len(rest) >= 4 && rest[0] == 0xFF; {
		marker := rest[1]
		if marker == 0xDA || marker == 0xD9 {
			return upright // the picture itself begins: nothing about it follows
		}
		length := int(binary.BigEndian.Uint16(rest[2:4]))
		if length < 2 || 2+length > len(rest) {
			return upright
		}
		if tiff, ok := bytes.CutPrefix(rest[4:2+length], []byte("Exif\x00\x00")); ok && marker == 0xE1 {
			return tiffOrientation(tiff)
		}
		rest = rest[2+length:]
	}
	return upright
}

// tiffOrientation looks for the orientation in the first directory of a TIFF file (TIFF 6.0, section 2).
func tiffOrientation(tiff []byte) int {
	const upright = 1
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:2]) {
	case "II":
	case "MM":
		order = binary.BigEndian
	default:
		return upright
	}
	start := uint64(order.Uint32(tiff[4:8]))
	if start+2 > uint64(len(tiff)) {
		return upright
	}
	entries := uint64(order.Uint16(tiff[start:]))
	for i := range entries {
		at := start + 2 + 12*i
		if at+12 > uint64(len(tiff)) {
			return upright
		}
		if order.Uint16(tiff[at:]) == 0x0112 {
			if value := int(order.Uint16(tiff[at+8:])); value >= 1 && value <= 8 {
				return value
			}
			return upright
		}
	}
	return upright
}
