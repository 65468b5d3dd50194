package app

import (
	"fmt"
	"os"

	"github.com/cdfoundation/portal/internal/config"
	"github.com/cdfoundation/portal/internal/importer"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/models"
)

type contentCommand struct {
	Import       contentImport       `cmd:"" help:"Load a folder of Markdown with front matter. A second run changes nothing."`
	RemoveSample contentRemoveSample `cmd:"" help:"Remove what is marked as a sample and has no real registrations."`
}

type contentImport struct {
	Dir string `arg:"" type:"existingdir" help:"Folder laid out like content/ in the source."`
}

// Help is the command's example.
func (contentImport) Help() string { return "Example:\n  portal content import ./content" }

// Run loads the folder in one transaction, or names every bad file and loads nothing.
func (c contentImport) Run(w *world) error {
	files, err := importer.ReadContent(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	return w.withStore(func(settings config.Config, store *models.Store) error {
		report, err := store.ImportContent(w.ctx, files, siteOf(settings).Host())
		if err == nil {
			fmt.Fprint(w.out, report)
		}
		return err
	})
}

// siteOf is the public site for a command, which does not listen.
func siteOf(c config.Config) links.Site { return links.New(c.PublicURL(address(c.Addr))) }

// address is a listen address as it was configured.
type address string

// Network is always TCP.
func (address) Network() string { return "tcp" }

func (a address) String() string { return string(a) }

type contentRemoveSample struct{}

// Help is the command's example.
func (contentRemoveSample) Help() string { return "Example:\n  portal content remove-sample" }

// Run removes the sample data and says what went and what stays.
func (contentRemoveSample) Run(w *world) error {
	return w.withStore(func(_ config.Config, store *models.Store) error {
		report, err := store.RemoveSample(w.ctx)
		if err == nil {
			fmt.Fprint(w.out, report)
		}
		return err
	})
}
