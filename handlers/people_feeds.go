package handlers

import (
	"slices"

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
		ID: feedID("ambassador", found.ID), Title: found.Name + " · " + a.site(c).Name,
		Description: "Posts by " + found.Name + ", and the one that introduces them.", Language: "en", HomeURL: a.Site.Abs(path),
	}, models.PostFilter{AmbassadorID: found.ID}, path, format)
}

// sendGroupFeed answers with the feed of a group: its posts and its new events, the newest first.
func (a *App) sendGroupFeed(c *fiber.Ctx, format string) error {
	ctx := c.UserContext()
	found, err := a.Store.GroupBySlug(ctx, c.Params("slug"))
	if err != nil {
		return orMoved(c, err, func(slug string) string { return feedPath(links.Group(slug), format) })
	}
	filter := models.PostFilter{GroupID: found.ID, Limit: feedSize}
	posts, err := a.Store.Posts(ctx, filter)
	if err != nil {
		return err
	}
	events, err := a.Store.Events(ctx, models.EventFilter{Period: models.NewEvents, GroupID: found.ID, Limit: feedSize})
	if err != nil {
		return err
	}
	path := links.Group(found.Slug)
	f := feed.Feed{
		ID: feedID("group", found.ID), Title: found.Name + " · " + a.site(c).Name, Description: "Posts and new events of " + found.Name + ".",
		Language: "en", HomeURL: a.Site.Abs(path), SelfURL: a.Site.Abs(feedPath(path, format)),
	}
	if f.Items, err = a.postItems(ctx, posts); err != nil {
		return err
	}
	f.Items = append(f.Items, a.eventItems(events)...)
	slices.SortStableFunc(f.Items, func(a, b feed.Item) int { return b.Published.Compare(a.Published) })
	f.Items = f.Items[:min(len(f.Items), feedSize)]
	if f.Updated, err = a.Store.PostsChangedAt(ctx, filter); err != nil {
		return err
	}
	for _, event := range events {
		if event.UpdatedAt.After(f.Updated) {
			f.Updated = event.UpdatedAt
		}
	}
	return a.sendFeed(c, f, format)
}

// showAmbassadorCalendar is where somebody can be met, as a calendar to subscribe to.
func (a *App) showAmbassadorCalendar(c *fiber.Ctx) error {
	found, err := a.Store.AmbassadorBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return orMoved(c, err, func(slug string) string { return links.Calendar(links.Ambassador(slug)) })
	}
	rows, err := a.Store.CalendarEvents(c.UserContext(), 0, found.ID)
	if err != nil {
		return err
	}
	return a.sendCalendar(c, "Meet "+found.Name, links.Ambassador(found.Slug), rows)
}

// showGroupCalendar is the events of a group, as a calendar to subscribe to.
func (a *App) showGroupCalendar(c *fiber.Ctx) error {
	found, err := a.Store.GroupBySlug(c.UserContext(), c.Params("slug"))
	if err != nil {
		return orMoved(c, err, func(slug string) string { return links.Calendar(links.Group(slug)) })
	}
	rows, err := a.Store.CalendarEvents(c.UserContext(), found.ID, 0)
	if err != nil {
		return err
	}
	return a.sendCalendar(c, found.Name, links.Group(found.Slug), rows)
}
