package handlers

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/cdfoundation/portal/static"
	"github.com/cdfoundation/portal/templates"
)

// show renders a page and answers with it. What a visitor without a session sees may be kept by everybody and is
// asked for again each time; what somebody signed in sees is theirs.
func show[T any](c *fiber.Ctx, status int, page *templates.Page[T], data T) error {
	body, err := page.Render(data)
	if err != nil {
		return err
	}
	switch {
	case bytes.Contains(c.Response().Header.Peek(fiber.HeaderCacheControl), []byte("no-store")):
		// What a handler called private stays so.
	case status != http.StatusOK || c.Method() == fiber.MethodPost:
		c.Set(fiber.HeaderCacheControl, "no-store")
	case viewer(c).SignedIn() || len(c.Response().Header.Peek(fiber.HeaderSetCookie)) > 0:
		c.Set(fiber.HeaderCacheControl, "private, no-cache")
	case len(c.Response().Header.Peek(fiber.HeaderCacheControl)) == 0:
		c.Set(fiber.HeaderCacheControl, publicCache)
		c.Set(fiber.HeaderLink, earlyHints())
	}
	return send(c, status, fiber.MIMETextHTMLCharsetUTF8, body, time.Time{})
}

// earlyHints name what every page needs, so that a proxy which knows them can let a browser ask for it before the page is there
// (RFC 8297).
var earlyHints = sync.OnceValue(func() string {
	return "<" + static.Path("main.css") + ">; rel=preload; as=style, <" + static.Path("fonts/figtree-latin.woff2") + `>; rel=preload; as=font; type="font/woff2"; crossorigin`
})

// publicCache lets everybody keep an answer, but ask each time whether it still holds.
const publicCache = "public, max-age=0, must-revalidate"

// private marks a page as nobody's to keep, to index or to pass on: a page behind a secret link, or of the desk.
func private(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex, nofollow")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}

// send answers with a body, or with 304 when the client has it (RFC 9110, 13). modified is zero when unknown.
func send(c *fiber.Ctx, status int, contentType string, body []byte, modified time.Time) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Status(status)
	if bytes.HasPrefix(c.Response().Header.Peek(fiber.HeaderCacheControl), []byte("public")) {
		// Others keep it and would hand one visitor's cookies to all.
		c.Response().Header.DelAllCookies()
	}
	if status == http.StatusOK && !strings.Contains(string(c.Response().Header.Peek(fiber.HeaderCacheControl)), "no-store") {
		// Weak, because one tag stands for the plain and the compressed form. It need not withstand anybody, so two checksums
		// do, which processors compute ten times as fast as a hash.
		tag := fmt.Sprintf(`W/"%08x%08x"`, crc32.Checksum(body, castagnoli), crc32.ChecksumIEEE(body))
		c.Set(fiber.HeaderETag, tag)
		if !modified.IsZero() {
			c.Set(fiber.HeaderLastModified, modified.UTC().Format(http.TimeFormat))
		}
		if unchanged(&c.Request().Header, tag, modified) {
			c.Status(http.StatusNotModified)
			c.Response().Header.Del(fiber.HeaderContentType)
			return nil
		}
	}
	return c.Send(encoded(c, body))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// unchanged judges the conditions of a GET: If-None-Match first and, only where it is absent, If-Modified-Since.
func unchanged(asked *fasthttp.RequestHeader, tag string, modified time.Time) bool {
	if match := asked.Peek(fiber.HeaderIfNoneMatch); len(match) > 0 {
		for candidate := range bytes.SplitSeq(match, []byte(",")) {
			candidate = bytes.TrimSpace(candidate)
			if string(candidate) == "*" || string(bytes.TrimPrefix(candidate, []byte("W/"))) == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	since := asked.Peek(fiber.HeaderIfModifiedSince)
	if modified.IsZero() || len(since) == 0 {
		return false
	}
	known, err := http.ParseTime(string(since))
	return err == nil && !modified.Truncate(time.Second).After(known)
}

// encoded compresses a body as the client takes it.
func encoded(c *fiber.Ctx, body []byte) []byte {
	if c.Get(fiber.HeaderAcceptEncoding) == "" || !compressible(&c.Response().Header, body) {
		return body
	}
	coding := c.AcceptsEncodings("br", "gzip")
	if coding != "" {
		c.Set(fiber.HeaderContentEncoding, coding)
	}
	return encode(coding, body)
}

// compressFrom is from how many bytes on a body is worth compressing.
const compressFrom = 1024

// compressible reports whether a body takes less when it is compressed: PNGs are compressed already.
func compressible(h *fasthttp.ResponseHeader, body []byte) bool {
	return len(body) >= compressFrom && !bytes.Equal(h.ContentType(), []byte("image/png"))
}

// encode compresses a body; without a coding it stays as it is.
func encode(coding string, body []byte) []byte {
	switch coding {
	case "br":
		return fasthttp.AppendBrotliBytesLevel(nil, body, 4)
	case "gzip":
		return fasthttp.AppendGzipBytesLevel(nil, body, 5)
	}
	return body
}

// seeOther answers a POST with the page to look at next.
func seeOther(c *fiber.Ctx, path string) error { return c.Redirect(path, fiber.StatusSeeOther) }

// movedTo answers with the one address that a thing has now, keeping the query.
func movedTo(c *fiber.Ctx, path string) error {
	if q := c.Request().URI().QueryString(); len(q) > 0 {
		path += "?" + string(q)
	}
	return c.Redirect(path, fiber.StatusMovedPermanently)
}
