package handlers

import (
	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/internal/feed"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

// sendAmbassadorFeed answers with the feed of somebody's posts and of the one that introduces them.
func (a *App) sendAmbassadorFeed(c *fiber.Ctx, format string) error {
	found, err := a.Store.AmbassadorBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return orMoved(c, err, func(slug string) string { return feedPath(links.Ambassador(slug), format) })
	}
	path := links.Ambassador(found.Slug)
	return a.sendPostFeed(c, feed.Feed{
		ID: feedID("ambassador", found.ID), Title: found.Name + " · CDF Community",
		Description: "Posts by " + found.Name + ", and the one that introduces them.", Language: "en", HomeURL: a.Site.Abs(path),
	}, models.PostFilter{AmbassadorID: found.ID}, path, format)
}
