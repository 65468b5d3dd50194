package handlers

import (
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/static"
)

// NewHealth returns what a process answers that does the background work alone: whether it lives, whether it can work, and its
// figures.
func NewHealth(o Options) *fiber.App {
	a := &App{Options: o}
	app := a.server(func(c *fiber.Ctx, err error) error {
		status := statusOf(err)
		if status >= http.StatusInternalServerError {
			a.fault(c, err)
		}
		return c.Status(status).SendString(http.StatusText(status) + "\n")
	})
	app.Use(a.recovered, a.limitedInTime, a.wellFormed, a.secured)
	for _, r := range a.routes() {
		if slices.Contains([]string{"/healthz", "/readyz", "/metrics"}, r.Path) {
			app.Add(r.Method, r.Path, a.guarded(r)...)
		}
	}
	return app
}

// showAlive answers as long as the process does.
func (a *App) showAlive(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString("ok\n")
}

// showReady answers 200 while the database is reachable, its schema current, and the program not about to end.
func (a *App) showReady(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if a.stopping() {
		return c.Status(http.StatusServiceUnavailable).SendString("stopping\n")
	}
	if err := a.Ready(c.UserContext()); err != nil {
		a.fault(c, err)
		return c.Status(http.StatusServiceUnavailable).SendString("not ready\n")
	}
	return c.SendString("ready\n")
}

func (a *App) stopping() bool { return a.Stopping != nil && a.Stopping() }

// showAsset serves our own files, which never change under their names.
func (a *App) showAsset(c *fiber.Ctx) error {
	asset, ok := static.Open(c.Path())
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderContentType, asset.ContentType)
	c.Set(fiber.HeaderETag, asset.ETag)
	if unchanged(&c.Request().Header, asset.ETag, a.Store.Now()) {
		return c.SendStatus(http.StatusNotModified)
	}
	switch c.AcceptsEncodings("br", "gzip") {
	case "br":
		if b := asset.Brotli(); b != nil {
			c.Set(fiber.HeaderContentEncoding, "br")
			return c.Send(b)
		}
	case "gzip":
		if b := asset.Gzip(); b != nil {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(b)
		}
	}
	return c.Send(asset.Bytes)
}
