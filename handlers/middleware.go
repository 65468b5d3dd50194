package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/limiter"
	"github.com/valyala/fasthttp"

	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// What a request carries in its locals.
type localsKey int

const (
	routeKey localsKey = iota
	viewerKey
	requestIDKey
	countKey // how many requests of the route its client sent in this minute, where they are limited
)

// requestDeadline is how long a request may work. Fiber sets none, and a client that leaves cancels nothing.
const requestDeadline = 20 * time.Second

// use installs what every request passes, outermost first.
func (a *App) use(app *fiber.App) {
	if a.Tracer != nil {
		app.Use(a.traced)
	}
	app.Use(a.recovered, a.cached, a.limitedInTime, a.wellFormed, a.secured, a.sameOrigin, a.canonical, a.identified)
}

// requestIDHeader names a request in an answer, as the log does.
var requestIDHeader = []byte("X-Request-Id")

// logged gives the request its id, lets the cache answer it or else the router, which takes longer to look at a request than the
// cache to answer it, and counts and logs the answer.
func (a *App) logged(routed fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) {
		began := a.Store.Now()
		id := strconv.FormatUint(rand.Uint64(), 32) //nolint:gosec // a name, no secret
		kind, ok := a.fromCache(c)
		if !ok {
			c.SetUserValue(requestIDKey, id)
			routed(c)
			kind.route, _ = c.UserValue(routeKey).(string)
			kind.method = string(c.Method())
			v, _ := c.UserValue(viewerKey).(models.Viewer)
			kind.signedIn = v.SignedIn()
		}
		answer := &c.Response
		kind.status = answer.StatusCode()
		if after := retryAfter[kind.status]; after != "" && len(answer.Header.Peek(fiber.HeaderRetryAfter)) == 0 {
			answer.Header.Set(fiber.HeaderRetryAfter, after)
		}
		answer.Header.SetCanonical(requestIDHeader, []byte(id))
		if a.stopping() {
			c.SetConnectionClose()
		}
		size := 0
		if !answer.IsBodyStream() { // asking a stream for its bytes would keep them all
			size = len(answer.Body())
		}
		a.tick(began)
		a.answered(kind, id, size, began, a.Store.Now().Sub(began))
	}
}

// retryAfter is when to ask again what was refused for the moment, in seconds, where who refused does not say.
var retryAfter = map[int]string{429: "60", 503: "5"}

// limitedInTime gives the request its deadline.
func (a *App) limitedInTime(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), requestDeadline)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// recovered turns a panic into a 500 and keeps the server.
func (a *App) recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Next()
}

// wellFormed refuses what a proxy before us may read otherwise than we do, and text that is not UTF-8 or holds NUL.
func (a *App) wellFormed(c *fiber.Ctx) error {
	h := &c.Request().Header
	// Only the raw lines still tell: fasthttp drops the length when it reads chunks.
	raw := bytes.ToLower(h.RawHeaders())
	if bytes.Contains(raw, []byte("transfer-encoding:")) && bytes.Contains(raw, []byte("content-length:")) {
		c.Context().SetConnectionClose() //nolint:forbidigo // not used as a context.Context
		return fmt.Errorf("%w: Transfer-Encoding beside Content-Length", errBadRequest)
	}
	if !cleanText([]byte(c.Path())) {
		return fmt.Errorf("%w: path", errBadRequest)
	}
	if !wellFormedQuery(c.Request().URI().QueryArgs()) {
		return fmt.Errorf("%w: query", errBadRequest)
	}
	clean := true
	check := func(key, value []byte) { clean = clean && cleanText(key) && cleanText(value) }
	if bytes.HasPrefix(h.ContentType(), []byte(fiber.MIMEApplicationForm)) {
		for key, value := range c.Request().PostArgs().All() {
			check(key, value)
		}
	}
	if bytes.HasPrefix(h.ContentType(), []byte(fiber.MIMEMultipartForm)) {
		form, err := c.MultipartForm()
		if err != nil {
			return fmt.Errorf("%w: multipart form: %w", errBadRequest, err)
		}
		for key, values := range form.Value {
			for _, value := range values {
				check([]byte(key), []byte(value))
			}
		}
	}
	if !clean {
		return fmt.Errorf("%w: text is not UTF-8", errBadRequest)
	}
	return c.Next()
}

// wellFormedQuery reports whether the parameters of a query are text, are not too long, and come once: no page of ours asks for a
// name twice, and which of the two counts, others may judge otherwise.
func wellFormedQuery(query *fasthttp.Args) bool {
	names := make(map[string]bool, query.Len())
	for key, value := range query.All() {
		if !cleanText(key) || !cleanText(value) || names[string(key)] || bytes.ContainsAny(key, "[]") || len(key)+len(value) > maxParameter {
			return false
		}
		names[string(key)] = true
	}
	return true
}

// maxParameter is how long a parameter of a query may be, with its name, in bytes.
const maxParameter = 4000

func cleanText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// contentSecurityPolicy allows our own files and nothing inline; blob: is a picture that was chosen and not sent yet.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets the headers that every answer carries.
func (a *App) secured(c *fiber.Ctx) error {
	a.secure(c)
	return c.Next()
}

func (a *App) secure(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, contentSecurityPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	c.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	if a.Site.Secure() {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// sameOrigin refuses changes that another site's page asks for, by what the browser says of the request's origin, as
// net/http's CrossOriginProtection does. Requests that say nothing do not come from a browser.
func (a *App) sameOrigin(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return c.Next()
	case "":
	default:
		return fmt.Errorf("%w: cross-site request", models.ErrForbidden)
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || origin == a.Site.Base() {
		return c.Next()
	}
	if u, err := url.Parse(origin); err == nil && u.Host == string(c.Request().Host()) {
		return c.Next()
	}
	return fmt.Errorf("%w: cross-site request", models.ErrForbidden)
}

// canonical redirects an address with trailing slashes to the one without.
func (a *App) canonical(c *fiber.Ctx) error {
	path := c.Path()
	if path == "/" || !strings.HasSuffix(path, "/") || legacyPath(path) {
		return c.Next()
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		return fmt.Errorf("%w: address", models.ErrNotFound)
	}
	target := (&url.URL{Path: "/" + strings.Trim(path, "/")}).EscapedPath()
	if q := c.Request().URI().QueryString(); len(q) > 0 {
		target += "?" + string(q)
	}
	return c.Redirect(target, fiber.StatusMovedPermanently)
}

// admit lets those pass who may ask for a route. Who might after signing in is led there; to others it does not exist.
func (a *App) admit(c *fiber.Ctx, who Who) error {
	v := viewer(c)
	allowed := false
	switch who {
	case Anyone, Holder:
		allowed = true
	case Near:
		if !a.isNear(c) {
			return fmt.Errorf("%w: address", models.ErrNotFound)
		}
		allowed = true
	case SignedIn:
		allowed = v.SignedIn()
	case DeskUser:
		allowed = v.Can(models.UseDesk, models.Object{})
	case Staff:
		allowed = v.Can(models.ReviewPosts, models.Object{})
	case Admin:
		allowed = v.Can(models.ManageSite, models.Object{})
	}
	switch {
	case allowed && v.Unnamed() && who != Anyone && who != Holder && c.Path() != links.Welcome:
		return seeOther(c, links.Welcome)
	case v.NeedsFactor && (who == DeskUser || who == Staff || who == Admin):
		return seeOther(c, links.Security)
	case allowed:
		return c.Next()
	case !v.SignedIn() && c.Method() == fiber.MethodGet:
		return seeOther(c, links.Login+"?next="+url.QueryEscape(c.OriginalURL()))
	case !v.SignedIn():
		return seeOther(c, links.Login)
	}
	return fmt.Errorf("%w: address", models.ErrNotFound)
}

// limited holds a client to the route's requests a minute: first of this process, which costs nothing to know and holds while
// the database is away, then of all.
func (a *App) limited(r Route) []fiber.Handler {
	refuse := func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderRetryAfter, "60")
		return fmt.Errorf("%w: from one client", models.ErrTooMany)
	}
	own := limiter.New(limiter.Config{
		Max:          r.Limit,
		Expiration:   time.Minute,
		KeyGenerator: func(c *fiber.Ctx) string { return network(a.client(c)) },
		LimitReached: refuse,
	})
	shared := func(c *fiber.Ctx) error {
		n, err := a.Store.CountRequest(c.UserContext(), r.Method+" "+r.Path, network(a.client(c)))
		c.Locals(countKey, n)
		switch {
		case err != nil:
			a.fault(c, fmt.Errorf("counting requests: %w", err))
		case n > r.Limit:
			return refuse(c)
		}
		return c.Next()
	}
	return []fiber.Handler{own, shared}
}

// client names who sends: the address of the connection or, behind trusted proxies, the last forwarded address that
// is not one of them. What stands to the left of it is the client's own word.
func (a *App) client(c *fiber.Ctx) string {
	remote := c.Context().RemoteIP().String() //nolint:forbidigo // not used as a context.Context
	if !c.IsProxyTrusted() {
		return remote
	}
	// A proxy may add a line of its own below the client's; together they are one list (RFC 9110, 5.3).
	for _, line := range slices.Backward(c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)) {
		for _, f := range slices.Backward(strings.Split(string(line), ",")) {
			address := strings.TrimSpace(f)
			if address != "" && !a.trusted(address) {
				return address
			}
		}
	}
	return remote
}

// network is what one client is counted by: an IPv4 address, or the first half of an IPv6 address, whose second half
// everybody chooses for themselves.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// fault tells the log what the visitor is not told.
func (a *App) fault(c *fiber.Ctx, err error) {
	level := slog.LevelError
	if errors.Is(err, models.ErrUnavailable) || errors.Is(err, storage.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		level = slog.LevelWarn
	}
	a.Log.LogAttrs(c.UserContext(), level, "request failed", slog.String("id", requestID(c)),
		slog.String("method", c.Method()), slog.String("error", err.Error()))
}

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}
