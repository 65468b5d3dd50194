package models

import (
	"time"

	"github.com/cdfoundation/portal/internal/markdown"
)

// Page is a plain page at an address of its own.
type Page struct {
	ID              int64
	Path            string // without a leading slash: about, projects/jenkins
	Title           string
	Description     string
	Position        int
	ProjectStatus   string // founding or incubating, for a project's page
	ProjectWebsite  string
	Markdown        string
	HTML            string `gorm:"column:html"`
	PlainText       string
	Contents        List[markdown.Heading]
	RendererVersion int
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}
