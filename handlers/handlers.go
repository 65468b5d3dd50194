// Package handlers turns HTTP requests into calls of models and their results into pages. It is the only place that
// knows Fiber. It holds no rules: who may do what, and when, is asked of models.
package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

// Options is what the handlers work with.
type Options struct {
	Store          *models.Store
	Site           links.Site
	Log            *slog.Logger
	Keys           auth.Keys
	Uploads        storage.Storage             // where uploaded pictures lie
	KeptMail       *mail.File                  // nil when mail goes out by SMTP
	Ready          func(context.Context) error // nil error: database reachable, schema current
	Stopping       func() bool                 // the program will end, and a balancer should know; nil: never
	Metrics        *prometheus.Registry        // nil: one that holds the figures of requests alone
	Tracer         trace.Tracer                // nil: nobody asks for traces
	Backups        storage.Backups             // where backups lie
	Version        string                      // of the program
	Process        string                      // on which machine it runs, and its number there
	Disk           func() (Disk, error)        // of the data dir; nil where nobody knows
	Contact        string                      // e-mail address in the footer while the desk names none
	Outside        []*auth.Outside             // services that tell who somebody is
	RateLimit      bool
	TrustedProxies []netip.Prefix
}

// App holds what a handler may use.
type App struct {
	Options
	pages       pages
	metrics     metrics
	cache       *pageCache
	shareImages shareImages
	passkeys    *auth.Passkeys // nil where browsers have none: at an IP address
	recent      recentFigures
	puzzles     map[string]int // limits of the forms that may ask for a proof of work, by the route's path; none where nothing is limited
	started     time.Time

	keptSite   kept[models.Site]
	keptGroups kept[groupDirectory]
	keptPeople kept[peopleDirectory]
	keptHome   kept[homePlaces]
	keptEvents [2]kept[eventList] // by models.EventPeriod
}

// New returns the whole site. It fails when a template does not fit the struct that it shows.
func New(o Options) (*fiber.App, error) {
	a, err := newApp(o)
	if err != nil {
		return nil, err
	}
	return a.fiber(), nil
}

func newApp(o Options) (*App, error) {
	a := &App{Options: o, puzzles: map[string]int{}}
	a.Metrics = cmp.Or(o.Metrics, prometheus.NewRegistry())
	a.metrics = newMetrics(a.Metrics)
	var err error
	if a.cache, err = newPageCache(a.Metrics); err != nil {
		return nil, fmt.Errorf("page cache: %w", err)
	}
	a.started = a.Store.Now()
	if a.pages, err = loadPages(); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	if a.passkeys, err = auth.NewPasskeys(a.Site.Base(), issuer); err != nil {
		return nil, err
	}
	return a, nil
}

// fiber is the site's server.
func (a *App) fiber() *fiber.App {
	app := a.server(a.showError)
	app.Server().HeaderReceived = a.bounds
	app.Server().FormValueFunc = sentValue
	a.use(app)
	for _, r := range a.routes() {
		if r.Puzzle && a.RateLimit {
			a.puzzles[r.Path] = r.Limit
		}
		chain := a.guarded(r)
		if r.Method == fiber.MethodGet {
			app.Add(fiber.MethodHead, r.Path, chain...)
		}
		app.Add(r.Method, r.Path, chain...)
	}
	app.Use(func(c *fiber.Ctx) error { return a.unrouted(c) })
	app.Server().Handler = a.logged(app.Handler())
	return app
}

// server answers nothing yet.
func (a *App) server(showError fiber.ErrorHandler) *fiber.App {
	proxies := make([]string, len(a.TrustedProxies))
	for i, p := range a.TrustedProxies {
		proxies[i] = p.String()
	}
	return fiber.New(fiber.Config{
		AppName:                 "portal",
		DisableStartupMessage:   true,
		Immutable:               true,
		StrictRouting:           true,
		CaseSensitive:           true,
		UnescapePath:            true,
		ReadTimeout:             15 * time.Second,
		WriteTimeout:            30 * time.Second,
		IdleTimeout:             2 * time.Minute,
		Concurrency:             8192, // connections; more are answered with 503, so that memory stays bounded
		BodyLimit:               bodyLimit,
		ReadBufferSize:          16 << 10,
		WriteBufferSize:         16 << 10, // most pages then go out in one piece
		EnableTrustedProxyCheck: true,
		TrustedProxies:          proxies,
		ProxyHeader:             fiber.HeaderXForwardedFor,
		EnableIPValidation:      true,
		ErrorHandler:            showError,
	})
}

// What a request may carry, in bytes: the fields of any form; from those who use the desk, a picture of 10 MiB or a text of
// 256 KiB beside them. With 8192 connections of others who send slowly, 256 MiB wait in memory.
const (
	bodyLimit     = 32 << 10
	deskBodyLimit = 11 << 20
)

// chunked is the length that fasthttp gives a body which does not say its own.
const chunked = -1

// bounds is asked when the head of a request is there and nothing else is read: how much may follow, and how long the answer may
// take.
func (a *App) bounds(h *fasthttp.RequestHeader) (config fasthttp.RequestConfig) {
	path := string(h.RequestURI())
	if strings.HasPrefix(path, links.DeskBackups+"/") && strings.HasSuffix(path, "/file") {
		config.WriteTimeout = backupLength
	}
	length := h.ContentLength()
	if token := string(h.Cookie(a.sessionCookie())); token != "" && (length == chunked || length > bodyLimit && length <= deskBodyLimit) {
		ctx, cancel := context.WithTimeout(context.Background(), requestDeadline)
		defer cancel()
		if v, err := a.Store.ViewerBySession(ctx, token); err == nil && v.Can(models.UseDesk, models.Object{}) {
			config.MaxRequestBodySize = deskBodyLimit
		}
	}
	return config
}

// guarded is the chain of a route: who may ask, how often, whether they have to prove once more who they are, then the handler.
func (a *App) guarded(r Route) []fiber.Handler {
	chain := []fiber.Handler{func(c *fiber.Ctx) error {
		c.Locals(routeKey, r.Path)
		return a.admit(c, r.Who)
	}}
	if r.Limit > 0 && a.RateLimit {
		chain = append(chain, a.limited(r)...)
	}
	if r.Fresh {
		chain = append(chain, a.fresh)
	}
	return append(chain, r.handler)
}

// unrouted answers what no route took: 405 where another method would do, with those that would (RFC 9110, 15.5.6), else
// 404.
func (a *App) unrouted(c *fiber.Ctx) error {
	var allowed []string
	for _, route := range c.App().GetRoutes(true) {
		// Every address is a plain page's to the router; whether it is one is known by now.
		if route.Path != plainPagePath && !slices.Contains(allowed, route.Method) && fiber.RoutePatternMatch(c.Path(), route.Path) {
			allowed = append(allowed, route.Method)
		}
	}
	if len(allowed) == 0 || slices.Contains(allowed, c.Method()) {
		return fmt.Errorf("%w: address", models.ErrNotFound)
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	return fiber.ErrMethodNotAllowed
}

var errBadRequest = errors.New("bad request")
