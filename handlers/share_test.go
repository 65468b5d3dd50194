package handlers

import (
	"context"
	"errors"
	"testing"

	"github.com/cdfoundation/portal/models"
)

func TestAPictureToShareWaitsForTheOneThatIsDrawn(t *testing.T) {
	var images shareImages
	kept := models.Headline{Title: "Kept"}
	images.keep(shareImage{shareKey{kept, "/blog/kept", "CDF"}, []byte("a picture")})
	drawing <- struct{}{}
	defer func() { <-drawing }()
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := images.get(ctx, models.Headline{Title: "New"}, "/blog/new", "CDF"); !errors.Is(err, context.Canceled) {
		t.Errorf("it is drawn beside another: %v", err)
	}
	if png, err := images.get(ctx, kept, "/blog/kept", "CDF"); string(png) != "a picture" || err != nil {
		t.Errorf("what is kept waits too: %v", err)
	}
}
