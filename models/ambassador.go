package models

import (
	"database/sql/driver"
	"time"
)

// AmbassadorStatus tells whether a profile is public.
type AmbassadorStatus string

// The states of a profile.
const (
	AmbassadorDraft     AmbassadorStatus = "draft"
	AmbassadorPublished AmbassadorStatus = "published"
)

// Value refuses a state that is not one of ours.
func (s AmbassadorStatus) Value() (driver.Value, error) {
	return oneOf("ambassador status", s, AmbassadorDraft, AmbassadorPublished)
}

// Link is a labelled address.
type Link struct {
	Label string `json:"label" yaml:"label"`
	URL   string `json:"url" yaml:"url"`
}

// Ambassador is a public profile, perhaps of a user.
type Ambassador struct {
	ID              int64
	Slug            string
	UserID          *int64
	CohortID        *int64
	Status          AmbassadorStatus
	Name            string
	Title           string
	Employer        string
	City            string
	Country         string   // ISO 3166-1 alpha-2
	Latitude        *float64 // degrees, of the city
	Longitude       *float64
	Pronouns        string
	Languages       List[string] // BCP 47
	Topics          List[string]
	Links           List[Link]
	Handle          string // on Twitter, without @
	Quote           string
	PhotoID         *int64
	Markdown        string
	HTML            string `gorm:"column:html"`
	PlainText       string
	RendererVersion int
	Sample          bool
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}

// Cohort is a class of ambassadors who were welcomed together.
type Cohort struct {
	ID              int64
	Slug            string
	Title           string
	WelcomedOn      string // YYYY-MM-DD
	Size            int    // people, also those without a profile
	Markdown        string
	HTML            string `gorm:"column:html"`
	RendererVersion int
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}
