package app

import (
	"fmt"
	"time"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/models"
)

type sampleCommand struct {
	Posts         int    `help:"Posts of the blog, at most 100,000." placeholder:"N"`
	Groups        int    `help:"Groups with their organisers, at most 1,000." placeholder:"N"`
	Events        int    `help:"Events of the last years and the next months, at most 20,000." placeholder:"N"`
	Registrations int    `help:"Registrations for these events, at most 1,000,000." placeholder:"N"`
	Seed          uint64 `help:"What is made is the same for the same seed." default:"1" placeholder:"S"`
}

// Help is the command's example.
func (sampleCommand) Help() string {
	return "For trials and benchmarks only. A second run adds to the first; `portal content remove-sample` removes it all.\n\n" +
		"Example:\n  portal sample --posts 1000 --groups 50 --events 200 --registrations 5000 --seed 1"
}

// Run fills the database and tells on the way how far it is.
func (c sampleCommand) Run(w *world) error {
	size := models.SampleSize{Posts: c.Posts, Groups: c.Groups, Events: c.Events, Registrations: c.Registrations, Seed: c.Seed}
	return w.withStore(func(_ config.Config, store *models.Store) error {
		last := time.Now()
		err := store.FillSample(w.ctx, size, func(kind string, done, of int) {
			if now := time.Now(); now.Sub(last) >= 2*time.Second {
				last = now
				fmt.Fprintf(w.errOut, "%d of %d %s\n", done, of, kind)
			}
		})
		if err == nil {
			fmt.Fprintf(w.out, "made %d posts, %d groups, %d events, %d registrations\n", size.Posts, size.Groups, size.Events, size.Registrations)
		}
		return err
	})
}
