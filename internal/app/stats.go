package app

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/models"
)

type statsCommand struct {
	JSON bool `name:"json" help:"As JSON."`
}

// Help is the command's example.
func (statsCommand) Help() string { return "Example:\n  portal stats --json" }

// Run counts what the database holds.
func (s statsCommand) Run(w *world) error {
	return w.withStore(func(_ config.Config, store *models.Store) error {
		counts, err := store.Stats(w.ctx)
		if err != nil {
			return err
		}
		if s.JSON {
			return json.NewEncoder(w.out).Encode(counts)
		}
		table := tabwriter.NewWriter(w.out, 0, 8, 2, ' ', tabwriter.AlignRight)
		for _, c := range counts {
			fmt.Fprintf(table, "%d\t %s\t\n", c.N, c.Of)
		}
		return table.Flush()
	})
}
