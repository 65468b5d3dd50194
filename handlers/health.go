package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/static"
)

// showAlive answers as long as the process does.
func (a *App) showAlive(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString("ok\n")
}

// showReady answers 200 while the database is reachable and its schema current.
func (a *App) showReady(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if err := a.Ready(c.UserContext()); err != nil {
		a.fault(c, err)
		return c.Status(http.StatusServiceUnavailable).SendString("not ready\n")
	}
	return c.SendString("ready\n")
}

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
	if unchanged(c, asset.ETag, a.Store.Now()) {
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
