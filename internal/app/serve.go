package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel/trace"

	"github.com/cdfoundation/portal/content"
	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/backup"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/jobs"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/models"
)

type serveCommand struct {
	config.Config `embed:""`

	WebOnly    bool `name:"web-only" xor:"part" help:"Serve alone; another process does the background work."`
	WorkerOnly bool `name:"worker-only" xor:"part" help:"Do the background work alone; other processes serve."`
}

// Help is the command's example.
func (serveCommand) Help() string {
	return "Example:\n  PORTAL_BASE_URL=https://community.example.org portal serve --addr 127.0.0.1:8080"
}

// shutdownLimit is how long requests and jobs under way may take after the program was told to stop.
const shutdownLimit = 20 * time.Second

// soundLimit is how large a SQLite file may be for the start to wait until it is read and checked: some hundredths of a second.
// `portal doctor` checks larger ones.
const soundLimit = 32 << 20

// Run serves until the context ends, then drains.
func (s *serveCommand) Run(w *world) (err error) {
	log, flush := logger(s.Config, w.errOut)
	defer flush()
	slog.SetDefault(log)
	if s.Offset() != 0 {
		log.Warn("the clock is shifted", slog.Duration("offset", s.Offset()))
	}
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return fmt.Errorf("PORTAL_DATA_DIR: %w", err)
	}
	if err := s.prepareSchema(w.ctx); err != nil {
		return err
	}
	db, err := database.Open(w.ctx, s.Database())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Sound(w.ctx, soundLimit); err != nil {
		return err
	}
	tick := clock.System(s.Offset())
	keys, err := secretKeys(w.ctx, s.Config, db, tick)
	if err != nil {
		return err
	}
	store := models.NewStore(db.Reader, db.Writer, tick, keys)
	tracer, flushTraces, err := traces(w.ctx, s.Config, log)
	if err != nil {
		return err
	}
	defer flushTraces()
	if s.WorkerOnly {
		return s.work(w, log, store, db, tracer)
	}

	listener, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("PORTAL_ADDR=%q: %w", s.Addr, err)
	}
	site := links.New(s.PublicURL(listener.Addr()))
	if err := s.furnish(w, store, site); err != nil {
		return errors.Join(err, listener.Close())
	}
	return s.serve(w, log, db, store, keys, site, listener, tracer)
}

// prepareSchema migrates a database that has no schema yet. One that is behind is left to `portal migrate`, because an
// operator wants to choose the moment.
func (s *serveCommand) prepareSchema(ctx context.Context) error {
	behind, empty, err := database.Schema(ctx, s.Database())
	switch {
	case err != nil:
		return err
	case empty:
		_, err = database.Migrate(ctx, s.Database())
		return err
	case behind > 0:
		return errBehind(behind)
	}
	return nil
}

// furnish loads the built-in content into an empty database, makes a missing index of the search, and prints the first admin's link while nobody has used
// one.
func (s *serveCommand) furnish(w *world, store *models.Store, site links.Site) error {
	empty, err := store.Empty(w.ctx)
	if err != nil {
		return err
	}
	if empty && s.SeedsContent() {
		files, err := importer.ReadContent(content.Files)
		if err != nil {
			return fmt.Errorf("built-in content: %w", err)
		}
		if _, err := store.ImportContent(w.ctx, files, site.Host()); err != nil {
			return err
		}
	}
	if err := store.ReindexEmpty(w.ctx); err != nil {
		return err
	}
	token, err := store.FirstAdminLink(w.ctx)
	if err == nil && token != "" {
		fmt.Fprintf(w.out, "first admin: %s\n", site.Abs(links.SignIn(token)))
	}
	return err
}

// work does the background work until the context ends.
func (s *serveCommand) work(w *world, log *slog.Logger, store *models.Store, db *database.DB, tracer trace.Tracer) error {
	if s.BaseURL == "" {
		return errors.New(`PORTAL_BASE_URL="": allowed with --worker-only is the address under which the others serve, for the links in mails`)
	}
	sender, _, err := s.mailSender()
	if err != nil {
		return err
	}
	metrics, err := newMetrics(db)
	if err != nil {
		return err
	}
	uploads, err := uploadsOf(s.Config, metrics)
	if err != nil {
		return err
	}
	keeper, err := s.keeper(w.ctx, store, db, uploads)
	if err != nil {
		return err
	}
	store.WatchCommits(commitMetrics(metrics))
	health := handlers.NewHealth(handlers.Options{Log: log, Metrics: metrics, TrustedProxies: s.Proxies(), Ready: ready(store, db)})
	listener, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", s.Addr)
	answered := make(chan error, 1)
	if err != nil {
		// The work matters more than that somebody sees it: beside another process the address may be taken.
		log.Warn("nobody can ask this process how it is", slog.String("addr", s.Addr), slog.String("error", err.Error()))
		answered <- nil
	} else {
		go func() { answered <- health.Listener(newPatientListener(listener)) }()
		fmt.Fprintf(w.out, "listening on http://%s\n", listener.Addr())
	}
	log.Info("working")
	jobs.New(jobs.Options{
		Store: store, Site: siteOf(s.Config), Sender: sender, From: s.From(), Log: log, Backup: keeper, Uploads: uploads, KeptMail: mail.File{Dir: s.MailDir()}, Metrics: metrics, Tracer: tracer,
	}).Run(w.ctx)
	return errors.Join(health.ShutdownWithTimeout(shutdownLimit), <-answered, uploads.Close())
}

// ready reports whether the database answers and its schema is the program's.
func ready(store *models.Store, db *database.DB) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := store.Ping(ctx); err != nil {
			return err
		}
		behind, err := db.Behind(ctx)
		if err == nil && behind > 0 {
			err = errBehind(behind)
		}
		return err
	}
}

// keeper makes the backups of the portal.
func (s *serveCommand) keeper(ctx context.Context, store *models.Store, db *database.DB, uploads storage.Storage) (*backup.Keeper, error) {
	portal, err := portalOf(ctx, s.Config, db, uploads)
	return &backup.Keeper{Store: store, Portal: portal, Backups: backupsOf(s.Config, uploads)}, err
}

// serve runs the web application on the listener and the background work beside it until the context ends.
func (s *serveCommand) serve(w *world, log *slog.Logger, db *database.DB, store *models.Store, keys auth.Keys, site links.Site, listener net.Listener, tracer trace.Tracer) error {
	metrics, err := newMetrics(db)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	uploads, err := uploadsOf(s.Config, metrics)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	sender, kept, err := s.mailSender()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	keeper, err := s.keeper(w.ctx, store, db, uploads)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	store.WatchCommits(commitMetrics(metrics))
	var stopping atomic.Bool
	web, err := handlers.New(handlers.Options{
		Metrics: metrics, Tracer: tracer, Version: version, Process: processName(), Backups: backupsOf(s.Config, uploads), Disk: func() (handlers.Disk, error) { return diskOf(s.DataDir) },
		Store: store, Site: site, Log: log, Keys: keys, Uploads: uploads, KeptMail: kept, RateLimit: s.Limited(),
		Contact: s.From().Address, TrustedProxies: s.Proxies(), Outside: outside(s.Config, site, newOutgoing(metrics)),
		Ready: ready(store, db), Stopping: stopping.Load,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}

	working, stopWork := context.WithCancel(context.WithoutCancel(w.ctx))
	defer stopWork()
	var work sync.WaitGroup
	worker := jobs.New(jobs.Options{
		Store: store, Site: site, Sender: sender, From: s.From(), Log: log, Backup: keeper, Uploads: uploads, KeptMail: mail.File{Dir: s.MailDir()}, Metrics: metrics, Tracer: tracer,
	})
	if !s.WebOnly {
		work.Go(func() { worker.Run(working) })
	}

	work.Go(func() { watchContent(working, log, store) })

	served := make(chan error, 1)
	go func() { served <- web.Listener(newPatientListener(listener)) }()
	fmt.Fprintf(w.out, "listening on http://%s\n", listener.Addr())
	select {
	case err = <-served:
	case <-w.ctx.Done():
		log.Info("stopping")
		stopping.Store(true)
		stopWork() // the two drain side by side, so that the limit holds for both
		select {
		case err = <-served:
		case <-time.After(s.DrainTime()): // until then a balancer has noticed, and sends nothing on connections that end
		}
		err = errors.Join(err, web.ShutdownWithTimeout(shutdownLimit))
	}
	stopWork()
	work.Wait()
	return errors.Join(err, uploads.Close())
}

// processName tells this process from others: the machine and its number there.
func processName() string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "a machine without a name"
	}
	return fmt.Sprintf("%s, process %d", machine, os.Getpid())
}

// watchPause is how long a process waits before it watches again for what others change, after the database went.
const watchPause = time.Second

// watchContent lets the pages in the cache follow what other processes change, until the context ends.
func watchContent(ctx context.Context, log *slog.Logger, store *models.Store) {
	for ctx.Err() == nil {
		if err := store.WatchContent(ctx); err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "changes by other processes are not noticed for now", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
		}
	}
}

// newMetrics returns the figures about the process and its connections to the database, to which others add theirs.
func newMetrics(db *database.DB) (*prometheus.Registry, error) {
	pools, err := db.Pools()
	if err != nil {
		return nil, err
	}
	all := prometheus.NewRegistry()
	held := collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile("^/gc/heap/live:bytes$")}) // which does not go up and down as garbage does
	all.MustRegister(collectors.NewGoCollector(held), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for name, pool := range pools {
		all.MustRegister(collectors.NewDBStatsCollector(pool, name))
	}
	return all, nil
}

// commitMetrics shows the commits of the queues of changes in r.
func commitMetrics(r prometheus.Registerer) func(models.Commit) {
	all := promauto.With(r)
	changes := all.NewHistogram(prometheus.HistogramOpts{
		Name: "portal_commit_changes", Help: "Changes that were committed together.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
	})
	took := all.NewHistogram(prometheus.HistogramOpts{
		Name: "portal_commit_seconds", Help: "How long a commit took, its changes included.", Buckets: prometheus.ExponentialBuckets(.0005, 2, 15),
	})
	waited := all.NewHistogram(prometheus.HistogramOpts{
		Name: "portal_commit_wait_seconds", Help: "How long the change had waited that waited longest for a commit.", Buckets: prometheus.ExponentialBuckets(.0005, 2, 15),
	})
	waiting := all.NewGauge(prometheus.GaugeOpts{
		Name: "portal_commit_queue_changes", Help: "Changes that came while the last commit was about to begin; 4096 are the most.",
	})
	return func(c models.Commit) {
		changes.Observe(float64(c.Changes))
		took.Observe(c.Took.Seconds())
		waited.Observe(c.Waited.Seconds())
		waiting.Set(float64(c.Waiting))
	}
}

// outside are the services by which people may sign in, whose calls are counted.
func outside(c config.Config, site links.Site, calls outgoing) (all []*auth.Outside) {
	if c.OIDCIssuer != "" {
		all = append(all, auth.NewOpenID(c.OIDCIssuer, c.OIDCID, c.OIDCSecret, site.Abs(links.LoginCallback("openid"))))
	}
	if c.GitHubID != "" {
		all = append(all, auth.NewGitHub(c.GitHubID, c.GitHubSecret, site.Abs(links.LoginCallback("github")), auth.GitHub, auth.GitHubEmails))
	}
	for _, service := range all {
		service.Transport = calls.to(service.Key)
	}
	return all
}

// mailSender sends by SMTP or, without a server, keeps each mail as a file.
func (s *serveCommand) mailSender() (mail.Sender, *mail.File, error) {
	if u := s.SMTP(); u != nil {
		sender, err := mail.NewSMTP(u.String())
		return sender, nil, err
	}
	kept := mail.File{Dir: s.MailDir()}
	return kept, &kept, nil
}
