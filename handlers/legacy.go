package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// The addresses of the WordPress blog that was here before. Behind a list stand page/N and feed/FORMAT.
var (
	oldPost = regexp.MustCompile(`^/(?:blog/)?\d{4}/\d{1,2}/\d{1,2}/([^/]+)(?:/(?:page/)?\d+|/feed(?:/[a-z0-9]+)?)?/?$`)
	oldList = regexp.MustCompile(`^/(category|tag|author)/(?:[^/]+/)*?([^/]+)(?:/page/(\d+)|/(feed)(?:/([a-z0-9]+))?)?/?$`)
	oldFeed = regexp.MustCompile(`^/feed(?:/([a-z0-9]+))?/?$`)
)

// legacyPath reports whether an address is one of the old blog's, which redirects in one hop with its trailing slash.
func legacyPath(path string) bool {
	return oldPost.MatchString(path) || oldList.MatchString(path) || oldFeed.MatchString(path)
}

// followOld leads from an address of the old blog to the present one.
func (a *App) followOld(c *fiber.Ctx) error {
	target, err := a.oldTarget(c.UserContext(), c.Path())
	if err != nil {
		return err
	}
	return movedTo(c, target)
}

// oldTarget is the present path of what an old one stood for.
func (a *App) oldTarget(ctx context.Context, path string) (string, error) {
	if m := oldPost.FindStringSubmatch(path); m != nil {
		// The date is not compared: the slug was unique without it.
		slug := m[1]
		_, err := a.Store.PostBySlug(ctx, slug)
		if moved, ok := errors.AsType[*models.MovedError](err); ok {
			slug, err = moved.Slug, nil
		}
		return links.Post(slug), err
	}
	if m := oldFeed.FindStringSubmatch(path); m != nil {
		return feedPath("", oldFormat(m[1])), nil
	}
	m := oldList.FindStringSubmatch(path)
	if m == nil {
		return "", fmt.Errorf("%w: address", models.ErrNotFound)
	}
	kind, slug, page, isFeed, format := m[1], m[2], m[3], m[4] != "", oldFormat(m[5])
	// The old login stood on all posts.
	list, feeds := links.Blog, ""
	if kind != "author" || slug != "cdfoundation" {
		found, err := a.archive(ctx, models.Site{}, kind, slug)
		if err != nil {
			return "", err
		}
		list, feeds = found.path, found.path
	}
	if isFeed {
		return feedPath(feeds, format), nil
	}
	n, err := strconv.Atoi(page)
	if err != nil {
		n = 1
	}
	return links.Numbered(list, n), nil
}

// oldFormat is our ending for WordPress's name of a feed's format; rss, rss2 and rdf are RSS.
func oldFormat(name string) string {
	if name == "atom" || name == "json" {
		return name
	}
	return "xml"
}

// orOldQuery answers the old blog's addresses that consist of a query on the home page, and hands over to next otherwise.
func (a *App) orOldQuery(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		query := c.Request().URI().QueryArgs()
		switch {
		case query.Has("feed"):
			return c.Redirect(feedPath("", oldFormat(strings.TrimPrefix(c.Query("feed"), "comments-"))), fiber.StatusMovedPermanently)
		case query.Has("p"):
			// The old numbers of posts were not kept.
			return fmt.Errorf("%w: post by number", models.ErrNotFound)
		}
		return next(c)
	}
}
