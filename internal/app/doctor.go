package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/mail"
	"github.com/cdfoundation/portal/models"
)

type doctorCommand struct {
	Ready bool `name:"ready" help:"Ask only the portal that runs on this machine whether it is ready: for the health check of a container."`
}

// Help is the command's example.
func (doctorCommand) Help() string { return "Example:\n  portal doctor\n  portal doctor --ready" }

// Run checks one thing after the other and fails when one of them is not right.
func (d doctorCommand) Run(w *world) error {
	if d.Ready {
		return w.ready()
	}
	sick := 0
	check := func(what string, err error) bool {
		if err != nil {
			sick++
			fmt.Fprintf(w.out, "%-14s %v\n", what, err)
			return false
		}
		fmt.Fprintf(w.out, "%-14s ok\n", what)
		return true
	}
	settings, err := config.Load(w.getenv)
	if !check("settings", err) {
		return errors.New("the settings are wrong, so nothing else was checked")
	}
	check("zones", zonesKnown())
	check("data dir", writable(settings.DataDir))
	check("storage", w.storageWorks(settings))
	check("mail", w.mailWorks(settings))
	behind, empty, err := database.Schema(w.ctx, settings.Database())
	switch {
	case err == nil && empty:
		err = errors.New("no schema yet: run `portal migrate` or `portal serve`")
	case err == nil && behind > 0:
		err = errBehind(behind)
	}
	if check("migrations", err) {
		check("database", w.databaseSound(settings, check))
	}
	if sick > 0 {
		return fmt.Errorf("%d of the checks failed", sick)
	}
	return nil
}

// databaseSound opens the database and asks it about the rules of registrations.
func (w *world) databaseSound(c config.Config, check func(string, error) bool) (err error) {
	store, db, err := w.openStore(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Sound(w.ctx, 0); err != nil {
		return err
	}
	check("clock", w.clockRight(store))
	broken, err := store.Invariants(w.ctx)
	if err != nil {
		return err
	}
	var found error
	for _, b := range broken {
		found = errors.Join(found, errors.New(b))
	}
	check("registrations", found)
	return nil
}

// ready asks the portal that listens where the settings say.
func (w *world) ready() error {
	settings, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	listening, err := net.ResolveTCPAddr("tcp", settings.Addr)
	if err != nil {
		return fmt.Errorf("PORTAL_ADDR=%q: %w", settings.Addr, err)
	}
	if listening.IP == nil || listening.IP.IsUnspecified() {
		listening.IP = net.IPv4(127, 0, 0, 1) // a container may not know the name localhost
	}
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listening.String()+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no portal answers: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing of it is read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the portal is not ready: its log says why (%s)", response.Status)
	}
	fmt.Fprintln(w.out, "ready")
	return nil
}

func zonesKnown() error {
	_, err := time.LoadLocation("Pacific/Auckland")
	return err
}

// clockLeeway is by how much two clocks may differ that are set by the network.
const clockLeeway = 5 * time.Second

// clockRight refuses a clock that stands before this program was written, other than the database's, or before what the portal
// did last.
func (w *world) clockRight(store *models.Store) error {
	now := store.Now()
	if now.Year() < 2026 {
		return fmt.Errorf("it says %s: set the machine's clock", now.Format(time.RFC3339))
	}
	ahead, err := store.ClockAhead(w.ctx)
	if err != nil {
		return err
	}
	if ahead.Abs() > clockLeeway {
		return fmt.Errorf("it says %s, the database's %s: let both machines set their clock by the network, and unset PORTAL_CLOCK_OFFSET",
			now.Format(time.RFC3339), now.Add(-ahead).Format(time.RFC3339))
	}
	last, err := store.LastChange(w.ctx)
	if err != nil {
		return err
	}
	if last.Sub(now) > clockLeeway {
		return fmt.Errorf("it says %s, but the last change was made at %s: set the machine's clock, which stands behind or stood ahead",
			now.Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	}
	return nil
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s writable for this user: %w", dir, err)
	}
	probe := filepath.Join(dir, ".doctor")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return fmt.Errorf("make %s writable for this user: %w", dir, err)
	}
	return os.Remove(probe)
}

// storageWorks keeps a file, reads it and removes it.
func (w *world) storageWorks(c config.Config) (err error) {
	uploads, err := uploadsOf(c, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, uploads.Close()) }()
	probe, content := ".doctor-"+rand.Text(), []byte("written by portal doctor")
	if err := uploads.Put(w.ctx, probe, content); err != nil {
		return fmt.Errorf("PORTAL_STORAGE_URL: nothing can be written: %w", err)
	}
	got, err := uploads.Read(w.ctx, probe)
	if err == nil && !bytes.Equal(got, content) {
		err = errors.New("it is not what was written")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("PORTAL_STORAGE_URL: what was written cannot be read: %w", err), uploads.Remove(w.ctx, probe))
	}
	if err := uploads.Remove(w.ctx, probe); err != nil {
		return fmt.Errorf("PORTAL_STORAGE_URL: nothing can be removed: %w", err)
	}
	return nil
}

// mailWorks connects to the mail server and signs in where a user is set; kept mail needs no server.
func (w *world) mailWorks(c config.Config) error {
	u := c.SMTP()
	if u == nil {
		return nil
	}
	server, err := mail.NewSMTP(u.String())
	if err == nil {
		ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
		defer cancel()
		err = server.Check(ctx, mail.Address{Email: c.From().Address})
	}
	if err != nil {
		return fmt.Errorf("PORTAL_SMTP_URL: %w", err)
	}
	return nil
}
