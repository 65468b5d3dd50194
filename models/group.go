package models

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// GroupStatus tells whether a group is public.
type GroupStatus string

// The states of a group.
const (
	GroupListed   GroupStatus = "listed"
	GroupDelisted GroupStatus = "delisted"
)

// Value refuses a state that is not one of ours.
func (s GroupStatus) Value() (driver.Value, error) {
	return oneOf("group status", s, GroupListed, GroupDelisted)
}

// Group is a meetup group in a city.
type Group struct {
	ID              int64
	Slug            string
	Status          GroupStatus
	Name            string
	City            string
	Country         string  // ISO 3166-1 alpha-2
	Latitude        float64 // degrees, of the city
	Longitude       float64
	Timezone        string // IANA name
	Language        string // BCP 47
	Topics          List[string]
	Links           List[Link]
	Markdown        string
	HTML            string `gorm:"column:html"`
	PlainText       string
	RendererVersion int
	Sample          bool
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false"`
}

// GroupOrganiser says who runs a group: a user, or an ambassador who may not have an account yet.
type GroupOrganiser struct {
	ID           int64
	GroupID      int64
	UserID       *int64
	AmbassadorID *int64
	CreatedAt    time.Time
}

// auditText names an organiser without a name or an address.
func (o GroupOrganiser) auditText() string {
	if o.UserID != nil {
		return fmt.Sprintf("account %d", *o.UserID)
	}
	return fmt.Sprintf("profile %d", *o.AmbassadorID)
}
