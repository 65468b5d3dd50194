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
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
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
	recent      recentAnswers
	crowds      *lru.Cache[string, crowd]
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
	a := &App{Options: o}
	a.Metrics = cmp.Or(o.Metrics, prometheus.NewRegistry())
	a.metrics = newMetrics(a.Metrics)
	var err error
	if a.cache, err = newPageCache(a.Metrics); err != nil {
		return nil, fmt.Errorf("page cache: %w", err)
	}
	if a.crowds, err = lru.New[string, crowd](mostCrowds); err != nil {
		return nil, fmt.Errorf("crowds: %w", err)
	}
	a.started = a.Store.Now()
	if err := a.recent.watch(a.metrics); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if err := a.Metrics.Register(figures{a.Store}); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
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
	app.Server().HeaderReceived = longAnswers
	app.Server().FormValueFunc = sentValue
	a.use(app)
	for _, r := range a.routes() {
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

// bodyLimit is what a request may carry: a picture of 10 MiB beside the fields of its form.
const bodyLimit = 11 << 20

// guarded is the chain of a route: who may ask, how often, whether they have to prove once more who they are, then the handler.
func (a *App) guarded(r Route) []fiber.Handler {
	chain := []fiber.Handler{func(c *fiber.Ctx) error {
		c.Locals(routeKey, r.Path)
		return a.admit(c, r.Who)
	}}
	if r.Puzzle && a.RateLimit {
		chain = append(chain, a.noticed)
	}
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
