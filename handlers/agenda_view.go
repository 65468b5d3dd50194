package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdfoundation/portal/models"
)

// Agenda is what happens when, day by day.
type Agenda struct {
	Zone     string // "Times in PDT"; empty where no hour is known
	Days     []AgendaDay
	Language string // of its words; empty when it is the page's
}

// AgendaDay is a day of an agenda. Several tracks stand side by side in lanes.
type AgendaDay struct {
	ID, Label string
	Current   bool // it is this day now
	Timed     bool // some hour is known
	Lanes     []AgendaLane
	Rows      []AgendaRow
}

// AgendaLane is a track.
type AgendaLane struct {
	Number int // from 1 to mostLanes
	Name   string
}

// AgendaRow is what begins at one time.
type AgendaRow struct {
	Starts, Length string // empty when not known
	Machine        string // the start for machines
	NowLine        bool   // the present falls before this row
	On             bool   // going on now
	Sessions       []AgendaItem
}

// AgendaItem is one session.
type AgendaItem struct {
	Lane     int // 0: for all
	LaneName string
	Title    string
	Details  []string
}

// mostLanes is how many tracks stand side by side; further ones share the last lane.
const mostLanes = 4

// newAgenda shows an event's sessions at a moment; nil when there are none.
func newAgenda(d models.EventDetail, now time.Time) *Agenda {
	if len(d.Agenda) == 0 {
		return nil
	}
	agenda := &Agenda{Language: foreign(d.TextLanguage)}
	start := d.LocalStart()
	employers := make(map[string]string)
	for _, speaker := range d.Speakers {
		employers[speaker.Name] = speaker.Employer
	}
	for _, sessions := range byDay(d.Agenda) {
		number := sessions[0].Day
		date := sessions[0].Date(d.Event)
		day := AgendaDay{ID: fmt.Sprintf("day-%d", number), Label: date.Format("Mon 2 January")}
		if d.DatePrecision == models.PrecisionMonth {
			day.Label = fmt.Sprintf("Day %d", number)
		}
		day.Current = liveNow(d.Event, now) && now.In(start.Location()).Format(time.DateOnly) == date.Format(time.DateOnly)
		day.fill(d.Event, sessions, employers, now)
		if day.Timed {
			agenda.Zone = "Times in " + models.ZoneText(start)
		}
		agenda.Days = append(agenda.Days, day)
	}
	return agenda
}

// byDay parts sessions into their days, each in the order of its hours as far as they are known.
func byDay(all []models.AgendaSession) [][]models.AgendaSession {
	var days [][]models.AgendaSession
	for i, session := range all {
		if i == 0 || session.Day != all[i-1].Day {
			days = append(days, nil)
		}
		days[len(days)-1] = append(days[len(days)-1], session)
	}
	for _, day := range days {
		if !slices.ContainsFunc(day, func(s models.AgendaSession) bool { return s.Starts == "" }) {
			slices.SortStableFunc(day, func(a, b models.AgendaSession) int { return strings.Compare(a.Starts, b.Starts) })
		}
	}
	return days
}

func (d *AgendaDay) fill(e models.Event, sessions []models.AgendaSession, employers map[string]string, now time.Time) {
	lanes := make(map[string]int)
	for _, s := range sessions {
		if s.Track != "" && lanes[s.Track] == 0 {
			lanes[s.Track] = min(len(lanes)+1, mostLanes)
			if len(d.Lanes) < mostLanes {
				d.Lanes = append(d.Lanes, AgendaLane{Number: lanes[s.Track], Name: s.Track})
			}
		}
		d.Timed = d.Timed || s.Starts != ""
	}
	// One track is no choice: its lane would say what everybody sees.
	if len(lanes) == 1 && !slices.ContainsFunc(sessions, func(s models.AgendaSession) bool { return s.Track == "" }) {
		lanes, d.Lanes = nil, nil
	}
	lined := !d.Current
	for i, s := range sessions {
		if i == 0 || s.Starts != sessions[i-1].Starts || s.Starts == "" && d.Timed {
			row := AgendaRow{Starts: s.Starts, Length: lengthWords(s.Minutes)}
			if starts, ends, known := s.Times(e); known {
				row.Machine = starts.Format(time.RFC3339)
				row.On = d.Current && !now.Before(starts) && now.Before(ends)
				if !lined && now.Before(starts) {
					row.NowLine, lined = true, true
				}
			}
			d.Rows = append(d.Rows, row)
		}
		row := &d.Rows[len(d.Rows)-1]
		item := AgendaItem{Lane: lanes[s.Track], LaneName: s.Track, Title: s.Title}
		if item.Lane == 0 {
			item.LaneName = ""
		}
		if length := lengthWords(s.Minutes); length != row.Length && length != "" {
			item.Details = append(item.Details, length)
		}
		if who := speakerWords(s.SpeakerNames, employers); who != "" {
			item.Details = append(item.Details, who)
		}
		if s.Summary != "" {
			item.Details = append(item.Details, s.Summary)
		}
		row.Sessions = append(row.Sessions, item)
	}
}

// lengthWords is a length as people say it: "45 min", "3 h", "1 h 30 min".
func lengthWords(minutes int) string {
	switch {
	case minutes == 0:
		return ""
	case minutes < 120 && minutes%60 != 0, minutes == 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes%60 == 0:
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// speakerWords names speakers with their employers.
func speakerWords(names []string, employers map[string]string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = joined(name, employers[name])
	}
	if len(words) > 1 {
		return strings.Join(words, "; ")
	}
	return strings.Join(words, "")
}
