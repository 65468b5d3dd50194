package models

// Speaker speaks at an event.
type Speaker struct {
	ID       int64
	EventID  int64
	Position int
	Name     string
	Title    string
	Employer string
	URL      string `gorm:"column:url"`
	Bio      string
}

// AgendaSession is one line of an event's agenda.
type AgendaSession struct {
	ID           int64
	EventID      int64
	Position     int
	Day          int    // of the event, from 1
	Starts       string // wall time HH:MM in the event's zone; empty when not known
	Minutes      int    // 0 when not known
	Title        string
	Track        string // empty: for all
	Summary      string
	SpeakerNames List[string]
}

// Sponsor supports an event.
type Sponsor struct {
	ID           int64
	EventID      int64
	Position     int
	Name         string
	URL          string `gorm:"column:url"`
	Contribution string
}
