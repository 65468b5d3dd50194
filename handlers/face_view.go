package handlers

import (
	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
)

// Face is how a person is shown where there is little room: the photo, or the initials on a colour of their own.
type Face struct {
	Name     string
	Initials string
	Hue      int
	PhotoURL string
}

// newFace shows a name with the photo of that media name, if there is one.
func newFace(name, photo string) Face {
	f := Face{Name: name, Initials: artwork.Initials(name), Hue: artwork.Hue(name)}
	if photo != "" {
		f.PhotoURL = links.Media(photo)
	}
	return f
}
