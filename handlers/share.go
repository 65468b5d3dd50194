package handlers

import (
	"container/list"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// shareHeadlines are the words on the pictures of pages that are no one thing's.
var shareHeadlines = map[string]models.Headline{
	links.Home:        {Title: "Where people who ship software meet", Kicker: "Groups, events, field notes"},
	links.Blog:        {Title: "Field notes from teams that ship", Kicker: "Blog"},
	links.Events:      {Title: "Meet people who ship software", Kicker: "Events"},
	links.Groups:      {Title: "Find the group near you", Kicker: "Groups"},
	links.Ambassadors: {Title: "The people who bring us together", Kicker: "Ambassadors"},
	links.Apply:       {Title: "Become an ambassador", Kicker: "Ambassadors"},
}

// shareFolders are the addresses below which one thing of a kind has its page, the longest first.
var shareFolders = []struct {
	folder string
	kind   models.SearchKind
}{
	{links.Ambassadors + "/cohorts/", models.HeadlineCohort},
	{links.Ambassadors + "/", models.SearchAmbassador},
	{links.Blog + "/", models.SearchPost},
	{links.Events + "/", models.SearchEvent},
	{links.Groups + "/", models.SearchGroup},
	{"/", models.SearchPage},
}

// sharePath is the path whose picture a page has: its own where there is one, else the home page's. It goes by the route,
// because not everything below a folder is one of its things.
func sharePath(c *fiber.Ctx) string {
	route, _ := c.Locals(routeKey).(string)
	path := c.Path()
	switch route {
	case "/blog/:slug", "/events/:slug", "/groups/:slug", "/ambassadors/:slug", "/ambassadors/cohorts/:slug", plainPagePath:
		return path
	}
	if _, ok := shareHeadlines[path]; ok {
		return path
	}
	return links.Home
}

// sendShareImage draws the picture that other sites show for a page, from the words that stand on it now.
func (a *App) sendShareImage(c *fiber.Ctx) error {
	path, ok := strings.CutSuffix(strings.TrimPrefix(c.Path(), "/share"), ".png")
	switch {
	case !ok || path == links.Home:
		return fmt.Errorf("%w: picture", models.ErrNotFound)
	case path == "/home":
		path = links.Home
	}
	headline, ok := shareHeadlines[path]
	for _, f := range shareFolders {
		if ok {
			break
		}
		name, below := strings.CutPrefix(path, f.folder)
		if !below {
			continue
		}
		var err error
		if headline, err = a.Store.HeadlineOf(c.UserContext(), f.kind, name); err != nil {
			return err
		}
		ok = true
	}
	picture, err := a.shareImages.get(c.UserContext(), headline, path, a.site(c).Name)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=86400")
	return send(c, http.StatusOK, "image/png", picture, time.Time{})
}

// shareImagesKept is how many pictures are kept in memory, of some 30 KB each.
const shareImagesKept = 64

// shareImages keeps the pictures that were asked for last. The zero value is ready.
type shareImages struct {
	mu    sync.Mutex
	order list.List // of shareImage, the last used first
	byKey map[shareKey]*list.Element
}

type shareKey struct {
	models.Headline
	path, site string
}

type shareImage struct {
	key shareKey
	png []byte
}

// drawing lets one picture at a time be drawn, which keeps a processor busy for a quarter of a second: strangers choose how many
// they ask for.
var drawing = make(chan struct{}, 1)

// get is the picture of a page with a headline. It waits while others are drawn, until ctx ends.
func (s *shareImages) get(ctx context.Context, headline models.Headline, path, site string) ([]byte, error) {
	key := shareKey{headline, path, site}
	if png := s.kept(key); png != nil {
		return png, nil
	}
	select {
	case drawing <- struct{}{}:
		defer func() { <-drawing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if png := s.kept(key); png != nil {
		return png, nil // somebody who waited with us wanted the same
	}
	png, err := artwork.Share(headline.Title, headline.Kicker, strings.TrimPrefix(path, "/"), site)
	if err == nil {
		s.keep(shareImage{key, png})
	}
	return png, err
}

func (s *shareImages) kept(key shareKey) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	element, ok := s.byKey[key]
	if !ok {
		return nil
	}
	s.order.MoveToFront(element)
	return element.Value.(shareImage).png //nolint:errcheck // the list holds nothing else
}

func (s *shareImages) keep(image shareImage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[shareKey]*list.Element{}
	}
	if _, ok := s.byKey[image.key]; ok {
		return
	}
	s.byKey[image.key] = s.order.PushFront(image)
	if s.order.Len() > shareImagesKept {
		oldest := s.order.Remove(s.order.Back()).(shareImage) //nolint:errcheck // the list holds nothing else
		delete(s.byKey, oldest.key)
	}
}
