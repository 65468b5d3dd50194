package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/models"
)

// metrics counts requests for Prometheus. Labels are few and ours: a route, never a path that somebody asked for.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	kinds    *sync.Map // answerKind → *answerCount
	signIns  *prometheus.CounterVec
}

// answerKind is what answered requests have in common.
type answerKind struct {
	route, method string
	status        int
	signedIn      bool
}

// answerCount counts and logs the answers of a kind. To find a counter by its labels, and to write out what all lines of the
// log share, takes longer than to answer from the cache.
type answerCount struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
	log      slog.Handler
}

// The figures that the desk shows as well.
const (
	requestCount   = "portal_http_requests_total"
	requestSeconds = "portal_http_request_duration_seconds"
	signInCount    = "portal_sign_ins_total"
)

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		kinds: new(sync.Map),
		requests: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: requestCount, Help: "Requests answered, by route, method, family of status, success (no fault of ours) and whether somebody was signed in.",
		}, []string{"route", "method", "status", "success", "signed_in"}),
		seconds: promauto.With(r).NewHistogramVec(prometheus.HistogramOpts{
			Name: requestSeconds, Help: "How long an answer took, by route and method.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
		signIns: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: signInCount, Help: "Attempts to sign in, by way (password, link, passkey, outside, second_factor) and outcome: accepted, refused, second_factor (is asked for), failed (by a fault of ours or of a service).",
		}, []string{"way", "outcome"}),
	}
	for _, way := range []string{byPassword, byLink, byPasskey, byOutside, bySecondFactor} {
		for _, outcome := range []string{"accepted", "refused", "failed"} {
			m.signIns.WithLabelValues(way, outcome)
		}
	}
	return m
}

// The ways to sign in, as they are counted.
const (
	byPassword     = "password"
	byLink         = "link"
	byPasskey      = "passkey"
	byOutside      = "outside"
	bySecondFactor = "second_factor"
)

// signedIn counts an attempt to sign in by what came of it.
func (m metrics) signedIn(way string, err error) {
	outcome := "failed"
	switch status := statusOf(err); {
	case err == nil:
		outcome = "accepted"
	case errors.Is(err, models.ErrSecondFactor):
		outcome = "second_factor"
	case errors.Is(err, auth.ErrOutside), status < fiber.StatusInternalServerError:
		outcome = "refused"
	}
	m.signIns.WithLabelValues(way, outcome).Inc()
}

// answered counts a request and writes its line of the log, without personal data.
func (a *App) answered(kind answerKind, id string, bytes int, began time.Time, took time.Duration) {
	if kind.route == "" {
		kind.route, kind.method = "none", "any" // else whoever asks for nonsense makes as many series as they like
	}
	found, ok := a.metrics.kinds.Load(kind)
	if !ok {
		family, success := strconv.Itoa(kind.status/100)+"xx", strconv.FormatBool(kind.status < fiber.StatusInternalServerError)
		found, _ = a.metrics.kinds.LoadOrStore(kind, &answerCount{
			requests: a.metrics.requests.WithLabelValues(kind.route, kind.method, family, success, strconv.FormatBool(kind.signedIn)),
			seconds:  a.metrics.seconds.WithLabelValues(kind.route, kind.method),
			log:      a.Log.Handler().WithAttrs([]slog.Attr{slog.String("method", kind.method), slog.String("route", kind.route), slog.Int("status", kind.status)}),
		})
	}
	count := found.(*answerCount) //nolint:errcheck // the map holds nothing else
	count.requests.Inc()
	count.seconds.Observe(took.Seconds())
	ctx := context.Background() // that of the request has nothing for the log, and may have ended
	if count.log.Enabled(ctx, slog.LevelInfo) {
		// Made here, a record does not look for the line of code that it comes from.
		line := slog.NewRecord(began, slog.LevelInfo, "request", 0)
		line.AddAttrs(slog.String("id", id), slog.Int("bytes", bytes), slog.Duration("took", took))
		_ = count.log.Handle(ctx, line) // as every line of a log, it is lost where it cannot be written
	}
}

// figures asks the store whenever Prometheus asks the portal.
type figures struct{ store *models.Store }

// figuresTimeout is how long a scrape waits for the database.
const figuresTimeout = 5 * time.Second

var (
	rowsDesc       = prometheus.NewDesc("portal_rows", "What there is: public posts, listed groups, events to come, accounts, registrations by state, mails that wait or were given up.", []string{"of"}, nil)
	oldestMailDesc = prometheus.NewDesc("portal_oldest_mail_seconds", "How long the mail is due that has waited longest.", nil, nil)

	jobAgeDesc     = prometheus.NewDesc("portal_job_age_seconds", "How long ago a part of the background work was done last, by whichever process.", []string{"job"}, nil)
	jobOverdueDesc = prometheus.NewDesc("portal_job_overdue_seconds", "How long ago it was to be done again.", []string{"job"}, nil)
	jobFailedDesc  = prometheus.NewDesc("portal_job_failed", "1 when it failed the last time.", []string{"job"}, nil)

	backupAgeDesc    = prometheus.NewDesc("portal_backup_age_seconds", "How old the last good backup is; without one, for how long one could have been made.", nil, nil)
	backupEveryDesc  = prometheus.NewDesc("portal_backup_every_seconds", "How long the plan leaves between two backups; 0: they are made by hand.", nil, nil)
	backupFailedDesc = prometheus.NewDesc("portal_backup_failed", "1 when the last backup failed.", nil, nil)
)

// Describe names the figures.
func (figures) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{rowsDesc, oldestMailDesc, jobAgeDesc, jobOverdueDesc, jobFailedDesc, backupAgeDesc, backupEveryDesc, backupFailedDesc} {
		all <- d
	}
}

// Collect reads the figures.
func (f figures) Collect(all chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresTimeout)
	defer cancel()
	now, err := f.store.Figures(ctx)
	if err != nil {
		all <- prometheus.NewInvalidMetric(rowsDesc, err)
		return
	}
	for of, n := range map[string]int64{
		"posts": now.Posts, "groups": now.Groups, "events_to_come": now.Events, "accounts": now.Accounts,
		"registrations_confirmed": now.Registrations, "registrations_cancelled": now.Cancellations,
		"mails_waiting": now.MailsWaiting, "mails_failed": now.MailsFailed,
	} {
		all <- prometheus.MustNewConstMetric(rowsDesc, prometheus.GaugeValue, float64(n), of)
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		all <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(oldestMailDesc, now.OldestMail.Seconds())
	for _, job := range now.Jobs {
		gauge(jobAgeDesc, max(0, f.store.Now().Sub(job.EndedAt).Seconds()), job.Name)
		gauge(jobOverdueDesc, max(0, f.store.Now().Sub(job.NextAt).Seconds()), job.Name)
		gauge(jobFailedDesc, oneIf(job.Error != ""), job.Name)
	}
	gauge(backupAgeDesc, now.Backups.Age.Seconds())
	gauge(backupEveryDesc, now.Backups.Every.Seconds())
	gauge(backupFailedDesc, oneIf(now.Backups.Failed))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sendMetrics answers Prometheus in its text format.
func (a *App) sendMetrics() fiber.Handler {
	if a.Metrics == nil {
		return nil // only the list of routes is wanted
	}
	all := prometheus.Gatherers{a.Metrics}
	if a.Store != nil { // it has none where the process only works
		counted := prometheus.NewRegistry() // apart, so that whoever looks at the process does not ask the database
		counted.MustRegister(figures{a.Store})
		all = append(all, counted)
	}
	answer := adaptor.HTTPHandler(promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return answer(c)
	}
}

// isNear reports whether a request comes from the machine or its own network, which is that of addresses for private use
// (RFC 1918, RFC 4193), and not for somebody else by a proxy. Of whom a proxy speaks counts only in X-Forwarded-For.
func (a *App) isNear(c *fiber.Ctx) bool {
	forwarded := len(c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)) > 0
	for _, header := range []string{fiber.HeaderForwarded, fiber.HeaderVia, fiber.HeaderXForwardedHost, fiber.HeaderXForwardedProto, "X-Real-Ip"} {
		if c.Get(header) != "" && !forwarded {
			return false
		}
	}
	if forwarded && !c.IsProxyTrusted() {
		return false
	}
	ip, err := netip.ParseAddr(a.client(c))
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() // the last is a socket's
}
