package app

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/database"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" default:"1" help:"Apply what is missing."`
	Status migrateStatus `cmd:"" help:"List every migration and when it was applied."`
}

// Help is the command's example.
func (migrateCommand) Help() string { return "Example:\n  portal migrate\n  portal migrate status" }

type migrateUp struct{}

// Run applies what is missing and names it.
func (migrateUp) Run(w *world) error {
	c, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("PORTAL_DATA_DIR: %w", err)
	}
	applied, err := database.Migrate(w.ctx, c.Database())
	for _, m := range applied {
		fmt.Fprintln(w.out, "applied", m.Name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintln(w.out, "the schema is up to date")
	}
	return err
}

type migrateStatus struct{}

// Run lists the migrations.
func (migrateStatus) Run(w *world) error {
	c, err := config.Load(w.getenv)
	if err != nil {
		return err
	}
	all, err := database.Migrations(w.ctx, c.Database())
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no database yet: run `portal migrate`")
	}
	for _, m := range all {
		state := "missing"
		if !m.Applied.IsZero() {
			state = m.Applied.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w.out, "%s  %s\n", m.Name, state)
	}
	return err
}
