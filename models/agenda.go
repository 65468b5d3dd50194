package models

import "time"

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

// Date is the session's day in the event's zone, as midnight in UTC.
func (s AgendaSession) Date(e Event) time.Time {
	year, month, day := e.LocalStart().Date()
	return time.Date(year, month, day+s.Day-1, 0, 0, 0, 0, time.UTC)
}

// Times are when the session begins and ends, in the event's zone; false where that is not known.
func (s AgendaSession) Times(e Event) (starts, ends time.Time, known bool) {
	wall, err := time.Parse("15:04", s.Starts)
	if err != nil {
		return starts, ends, false
	}
	starts = momentOf(s.Date(e).Add(time.Duration(wall.Hour())*time.Hour+time.Duration(wall.Minute())*time.Minute), e.Location()).In(e.Location())
	return starts, starts.Add(time.Duration(s.Minutes) * time.Minute), true
}

// moments are those at which the session or its day begins or ends.
func (s AgendaSession) moments(e Event) []time.Time {
	all := []time.Time{momentOf(s.Date(e), e.Location()), momentOf(s.Date(e).AddDate(0, 0, 1), e.Location())}
	if starts, ends, known := s.Times(e); known {
		all = append(all, starts, ends)
	}
	return all
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
