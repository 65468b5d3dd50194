package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/models"
)

// formRow is one of the repeated parts of a form: field to value as typed.
type formRow map[string]string

// eventForm is what the editor of an event holds as text: the fields by name, and the repeated parts by theirs.
type eventForm struct {
	fields map[string]string
	rows   map[string][]formRow
}

// eventFields are the plain fields, with the words by which two versions of an event are compared.
var eventFields = []struct{ name, label string }{
	{"title", "Title"},
	{"slug", "Address"},
	{"summary", "Summary"},
	{"kind", "Kind"},
	{"group", "Group"},
	{"hosts", "Further hosts"},
	{"language", "Spoken language"},
	{"text_language", "Language of the text"},
	{"body", "Text"},
	{"links", "Links"},
	{"timezone", "Time zone"},
	{"starts", "Start"},
	{"ends", "End"},
	{"precision", "How much of the date is known"},
	{"mode", "Where"},
	{"venue_name", "Venue"},
	{"venue_address", "Street"},
	{"venue_city", "City"},
	{"venue_country", "Country"},
	{"online_link", "Link to join"},
	{"online_place", "Where online"},
	{"registration", "Registration"},
	{"registration_url", "Address for registering"},
	{"registration_note", "Note on registering"},
	{"opens", "Opens"},
	{"closes", "Closes"},
	{"choose", "Tickets a person takes"},
}

// eventParts are the repeated parts: their fields, those without which a part counts as empty, and their words.
var eventParts = []struct {
	name, label  string
	fields, text []string
}{
	{"quota", "Seats", []string{"id", "name", "size", "held"}, []string{"name", "size", "held"}},
	{"ticket", "Tickets", []string{"id", "name", "description", "quotas"}, []string{"name", "description"}},
	{"agenda", "Agenda", []string{"day", "starts", "minutes", "title", "track", "summary", "speakers"}, []string{"starts", "minutes", "title", "track", "summary", "speakers"}},
	{"speaker", "Speakers", []string{"name", "title", "employer", "url", "bio"}, []string{"name", "title", "employer", "url", "bio"}},
	{"sponsor", "Sponsors", []string{"name", "url", "contribution"}, []string{"name", "url", "contribution"}},
}

// maxFormRows is how many rows of a kind a form may send.
const maxFormRows = 250

// typedEvent reads the editor's form. Rows that are empty or to be taken away are left out, and what draws on them no
// longer does.
func typedEvent(c *fiber.Ctx) eventForm {
	f := eventForm{fields: map[string]string{}, rows: map[string][]formRow{}}
	for _, field := range eventFields {
		f.fields[field.name] = typed(c, field.name)
	}
	kept := map[string]string{} // number of a quota's row in the form → in what is kept
	for _, part := range eventParts {
		for n := range maxFormRows {
			prefix := fmt.Sprintf("%s-%d-", part.name, n)
			row, empty := formRow{}, true
			for _, field := range part.fields {
				row[field] = typed(c, prefix+field)
				empty = empty && (row[field] == "" || !slices.Contains(part.text, field))
			}
			if empty || typed(c, prefix+"remove") != "" {
				continue
			}
			switch part.name {
			case "quota":
				kept[strconv.Itoa(n)] = strconv.Itoa(len(f.rows["quota"]))
			case "ticket":
				var quotas []string
				for _, q := range typedAll(c, prefix+"quotas") {
					if at, ok := kept[q]; ok {
						quotas = append(quotas, at)
					}
				}
				row["quotas"] = strings.Join(quotas, " ")
			}
			f.rows[part.name] = append(f.rows[part.name], row)
		}
	}
	return f
}

// newEventForm is the form of an event that nobody wrote yet, for a group.
func newEventForm(group models.GroupChoice, now time.Time) eventForm {
	zone := "UTC"
	if group.Timezone != "" {
		zone = group.Timezone
	}
	evening := now.In(location(zone)).AddDate(0, 1, 0).Format(time.DateOnly)
	f := eventForm{rows: map[string][]formRow{}, fields: map[string]string{
		"kind": string(models.KindMeetup), "mode": string(models.ModeInPerson), "language": "en", "text_language": "en", "timezone": zone,
		"starts": evening + "T18:30", "ends": evening + "T21:00", "precision": string(models.PrecisionMinute),
		"venue_city": group.City, "venue_country": group.Country, "registration": string(models.RegistrationPortal), "choose": string(models.ChooseOne),
	}}
	if group.ID != 0 {
		f.fields["group"] = strconv.FormatInt(group.ID, 10)
	}
	if group.Language != "" {
		f.fields["language"] = group.Language
	}
	f.rows["quota"] = []formRow{{"name": "Seats"}}
	f.rows["ticket"] = []formRow{{"name": "Ticket", "quotas": "0"}}
	return f
}

// eventFormOf is the form of an event as it is stored.
func eventFormOf(d models.DeskEvent) eventForm {
	e := d.Event
	f := eventForm{rows: map[string][]formRow{}, fields: map[string]string{
		"title": e.Title, "slug": e.Slug, "summary": e.Summary, "kind": string(e.Kind), "hosts": strings.Join(e.Hosts, "\n"), "language": e.Language,
		"text_language": e.TextLanguage, "body": e.Markdown, "links": linkLines(e.Links), "timezone": e.Timezone, "starts": e.StartsLocal, "ends": e.EndsLocal,
		"precision": string(e.DatePrecision), "mode": string(e.Mode), "venue_name": e.VenueName, "venue_address": e.VenueAddress,
		"venue_city": e.VenueCity, "venue_country": e.VenueCountry, "online_link": e.OnlineLink, "online_place": e.OnlinePlace,
		"registration": string(e.Registration), "registration_url": e.RegistrationURL, "registration_note": e.RegistrationNote,
		"opens": localTime(e.OpensAt, e), "closes": localTime(e.ClosesAt, e), "choose": string(e.Choose),
	}}
	if e.GroupID != nil {
		f.fields["group"] = strconv.FormatInt(*e.GroupID, 10)
	}
	at := map[int64]int{}
	for n, q := range d.Quotas {
		at[q.ID] = n
		row := formRow{"id": strconv.FormatInt(q.ID, 10), "name": q.Name, "held": number(q.Held)}
		if q.Size != nil {
			row["size"] = strconv.Itoa(*q.Size)
		}
		f.rows["quota"] = append(f.rows["quota"], row)
	}
	for _, t := range d.Tickets {
		var quotas []string
		for _, q := range t.Quotas {
			quotas = append(quotas, strconv.Itoa(at[q.ID]))
		}
		f.rows["ticket"] = append(f.rows["ticket"], formRow{
			"id": strconv.FormatInt(t.ID, 10), "name": t.Name, "description": t.Description, "quotas": strings.Join(quotas, " "),
		})
	}
	for _, s := range d.Agenda {
		f.rows["agenda"] = append(f.rows["agenda"], formRow{
			"day": strconv.Itoa(s.Day), "starts": s.Starts, "minutes": number(s.Minutes), "title": s.Title, "track": s.Track, "summary": s.Summary,
			"speakers": strings.Join(s.SpeakerNames, ", "),
		})
	}
	for _, s := range d.Speakers {
		f.rows["speaker"] = append(f.rows["speaker"], formRow{"name": s.Name, "title": s.Title, "employer": s.Employer, "url": s.URL, "bio": s.Bio})
	}
	for _, s := range d.Sponsors {
		f.rows["sponsor"] = append(f.rows["sponsor"], formRow{"name": s.Name, "url": s.URL, "contribution": s.Contribution})
	}
	return f
}

// copied is the form of a new event like this one, without what belongs to this one alone.
func (f eventForm) copied() eventForm {
	for _, name := range []string{"slug", "starts", "ends", "opens", "closes"} {
		f.fields[name] = ""
	}
	for _, part := range []string{"quota", "ticket"} {
		for _, row := range f.rows[part] {
			delete(row, "id")
		}
	}
	return f
}

func localTime(t *time.Time, e models.Event) string {
	if t == nil {
		return ""
	}
	return t.In(e.Location()).Format(models.LocalLayout)
}

// number is a number as a field shows it: nothing for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// lines are the lines of a text that hold something.
func lines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// linkLines writes links a line each: their words, then their address.
func linkLines(all []models.Link) string {
	written := make([]string, len(all))
	for i, l := range all {
		written[i] = l.Label + " " + l.URL
	}
	return strings.Join(written, "\n")
}

// typedLinks reads what linkLines wrote. The address is what stands behind the last space.
func typedLinks(text string) []models.Link {
	var all []models.Link
	for _, line := range lines(text) {
		at := strings.LastIndexByte(line, ' ')
		all = append(all, models.Link{Label: strings.TrimSpace(line[:max(at, 0)]), URL: line[at+1:]})
	}
	return all
}

// input is what the form says, and what of it is no number.
func (f eventForm) input() (models.EventInput, FieldErrors) {
	var errs FieldErrors
	v := f.fields
	in := models.EventInput{
		Slug: v["slug"], Kind: models.EventKind(v["kind"]), Mode: models.EventMode(v["mode"]), Title: v["title"], Summary: v["summary"],
		Language: v["language"], TextLanguage: v["text_language"], Timezone: v["timezone"], StartsLocal: v["starts"], EndsLocal: v["ends"],
		DatePrecision: models.DatePrecision(v["precision"]), Hosts: lines(v["hosts"]), VenueName: v["venue_name"], VenueAddress: v["venue_address"],
		VenueCity: v["venue_city"], VenueCountry: v["venue_country"], OnlineLink: v["online_link"], OnlinePlace: v["online_place"],
		Registration: models.RegistrationPlace(v["registration"]), RegistrationURL: v["registration_url"], RegistrationNote: v["registration_note"],
		OpensLocal: v["opens"], ClosesLocal: v["closes"], Choose: models.Choose(v["choose"]), Links: typedLinks(v["links"]), Markdown: v["body"],
	}
	in.GroupID, _ = strconv.ParseInt(v["group"], 10, 64) // what is no number is no group
	count := func(part string, n int, row formRow, field, message string) int {
		if row[field] == "" {
			return 0
		}
		value, err := strconv.Atoi(row[field])
		if err != nil {
			errs.Add(fmt.Sprintf("%s-%d-%s", part, n, field), message)
		}
		return value
	}
	id := func(row formRow) int64 {
		value, _ := strconv.ParseInt(row["id"], 10, 64) // what is no number names no row
		return value
	}
	for n, row := range f.rows["quota"] {
		q := models.Quota{ID: id(row), Name: row["name"], Held: count("quota", n, row, "held", "Write a number, or nothing for none")}
		if row["size"] != "" {
			size := count("quota", n, row, "size", "Write a number, or nothing for no limit")
			q.Size = &size
		}
		in.Quotas = append(in.Quotas, q)
	}
	for _, row := range f.rows["ticket"] {
		t := models.TicketInput{ID: id(row), Name: row["name"], Description: row["description"]}
		for at := range strings.FieldsSeq(row["quotas"]) {
			position, _ := strconv.Atoi(at) // written by typedEvent or eventFormOf
			t.Quotas = append(t.Quotas, position)
		}
		in.Tickets = append(in.Tickets, t)
	}
	for n, row := range f.rows["agenda"] {
		s := models.AgendaSession{
			Day: 1, Starts: row["starts"], Minutes: count("agenda", n, row, "minutes", "Write a number of minutes, or nothing"),
			Title: row["title"], Track: row["track"], Summary: row["summary"],
		}
		if row["day"] != "" {
			s.Day = count("agenda", n, row, "day", "Write the number of the day, from 1")
		}
		for name := range strings.SplitSeq(row["speakers"], ",") {
			if name = strings.TrimSpace(name); name != "" {
				s.SpeakerNames = append(s.SpeakerNames, name)
			}
		}
		in.Agenda = append(in.Agenda, s)
	}
	for _, row := range f.rows["speaker"] {
		in.Speakers = append(in.Speakers, models.Speaker{Name: row["name"], Title: row["title"], Employer: row["employer"], URL: row["url"], Bio: row["bio"]})
	}
	for _, row := range f.rows["sponsor"] {
		in.Sponsors = append(in.Sponsors, models.Sponsor{Name: row["name"], URL: row["url"], Contribution: row["contribution"]})
	}
	return in, errs
}

// StaleLine is a field that two people wrote differently.
type StaleLine struct {
	Label, Yours, Theirs string
}

// against lists where a form differs from another's.
func (f eventForm) against(theirs eventForm) []StaleLine {
	var all []StaleLine
	add := func(label, yours, other string) {
		if yours != other {
			all = append(all, StaleLine{label, yours, other})
		}
	}
	for _, field := range eventFields {
		add(field.label, f.fields[field.name], theirs.fields[field.name])
	}
	for _, part := range eventParts {
		add(part.label, rowLines(f.rows[part.name], part.text), rowLines(theirs.rows[part.name], part.text))
	}
	return all
}

// rowLines writes repeated parts a line each.
func rowLines(rows []formRow, fields []string) string {
	written := make([]string, len(rows))
	for i, row := range rows {
		var parts []string
		for _, field := range fields {
			if row[field] != "" {
				parts = append(parts, row[field])
			}
		}
		written[i] = strings.Join(parts, ", ")
	}
	return strings.Join(written, "\n")
}

// FormSection is a part of a long form under a heading of its own.
type FormSection struct {
	ID, Legend, Hint string
	Rows             [][]Field
	Preview          bool // of the text stands behind the fields
	Parts            []FormPart
	AddLabel, AddURL string // of the button that adds a part; empty: parts are not repeated
	Add              string
}

// FormPart is one of the repeated parts of a section.
type FormPart struct {
	Legend     string
	Folded     string // what a part that is folded up says of itself; empty for an open one
	HiddenName string // of the field that names the stored row
	HiddenID   string
	Rows       [][]Field
	Choices    *FormChoices
	Remove     string // name of the box that takes the part away; empty for an empty part
	Note       string
}

// FormChoices are boxes to tick.
type FormChoices struct {
	Name, Label string
	Options     []Option
	Error       *FieldError
}

// languageTags are the languages that forms offer.
var languageTags = []string{
	"ar", "cs", "da", "de", "en", "es", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sv", "th",
	"tr", "uk", "vi", "zh", "zh-Hant",
}

func languageOptions(chosen string) []Option {
	tags := languageTags
	if chosen != "" && !slices.Contains(tags, chosen) {
		tags = append(slices.Clone(tags), chosen)
	}
	return optionsOf(chosen, tags, models.LanguageName)
}

// countryCodes are the countries that have a name.
var countryCodes = sync.OnceValue(func() []string {
	var codes []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code, named := string(a)+string(b), ""
			if named = models.CountryName(code); named != "" && named != code && !slices.Contains(formerCountries, code) {
				codes = append(codes, code)
			}
		}
	}
	slices.SortFunc(codes, func(a, b string) int { return strings.Compare(models.CountryName(a), models.CountryName(b)) })
	return codes
})

// formerCountries have names in CLDR but codes no longer in ISO 3166-1.
var formerCountries = []string{"AN", "BU", "CS", "DD", "DY", "FX", "HV", "NH", "NT", "RH", "SU", "TP", "UK", "VD", "YD", "YU", "ZR"}

func countryOptions(chosen string) []Option {
	return append([]Option{{Label: "Choose a country", Selected: chosen == ""}}, optionsOf(chosen, countryCodes(), models.CountryName)...)
}

func optionsOf(chosen string, values []string, label func(string) string) []Option {
	options := make([]Option, len(values))
	for i, value := range values {
		options[i] = Option{Value: value, Label: label(value), Selected: value == chosen}
	}
	return options
}

// pairs makes options of values and their words in turn.
func pairs(chosen string, valuesAndLabels ...string) []Option {
	var options []Option
	for pair := range slices.Chunk(valuesAndLabels, 2) {
		options = append(options, Option{Value: pair[0], Label: pair[len(pair)-1], Selected: pair[0] == chosen})
	}
	return options
}

// wallHint says of a time on the day the clocks change what it means.
func wallHint(local, timezone string) string {
	switch kind, err := models.WallTimeOf(local, timezone); {
	case err != nil:
		return ""
	case kind == models.WallSkipped:
		return "The clocks go forward over this time, so it will be moved forward by as much."
	case kind == models.WallTwice:
		return "The clocks go back over this time, so it comes twice; the first of the two is meant."
	}
	return ""
}

// sections lays the form out. path is where its buttons post to.
func (f eventForm) sections(path string, groups []models.GroupChoice, staff bool, errs FieldErrors, holders map[string]int) []FormSection {
	v := f.fields
	text := func(name, label, hint string) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "text", Value: v[name], Max: 300, Error: errs.Of(name)}
	}
	optional := func(field Field) Field { field.Optional = true; return field }
	choice := func(name, label string, options []Option) Field {
		return Field{Name: name, Label: label, Type: "select", Options: options, Error: errs.Of(name)}
	}
	at := func(name, label, hint string) Field {
		return Field{Name: name, Label: label, Hint: joinedSentences(hint, wallHint(v[name], v["timezone"])), Type: shownAs("datetime-local", models.LocalLayout, v[name]), Value: v[name], Error: errs.Of(name)}
	}
	area := func(name, label, hint string, rows int) Field {
		return Field{Name: name, Label: label, Hint: hint, Type: "area", Value: v[name], Rows: rows, Error: errs.Of(name)}
	}
	title, starts, ends, zone := text("title", "Title", ""), at("starts", "Starts", ""), at("ends", "Ends", ""), text("timezone", "Time zone", "Every time here is what clocks there show.")
	title.Required, starts.Required, ends.Required, zone.Required, zone.List = true, true, true, true, "zones"
	groupOptions := []Option{}
	if staff {
		groupOptions = append(groupOptions, Option{Label: "None", Selected: v["group"] == ""})
	}
	for _, g := range groups {
		id := strconv.FormatInt(g.ID, 10)
		groupOptions = append(groupOptions, Option{Value: id, Label: g.Name, Selected: id == v["group"]})
	}
	online, outside := text("online_link", "Link to join", "Only people with a ticket get it."), text("registration_url", "Address for registering", "When people register on another site.")
	online.Type, outside.Type, online.Max, outside.Max = "url", "url", 2000, 2000
	sections := []FormSection{
		{ID: "what", Legend: "What", Preview: true, Rows: [][]Field{
			{title},
			{optional(text("slug", "Address", "The last part of the event's web address. Empty: made of the title. An old one leads here for good."))},
			{optional(text("summary", "Summary", "A sentence for lists and search engines."))},
			{choice("kind", "Kind", pairs(v["kind"], "meetup", "Meetup", "conference", "Conference", "hackathon", "Hackathon", "call", "Community call")), choice("group", "Group", groupOptions)},
			{choice("language", "Spoken language", languageOptions(v["language"])), choice("text_language", "Language of the text", languageOptions(v["text_language"]))},
			{optional(area("hosts", "Further hosts", "Beside the group, one a line.", 2))},
			{optional(area("body", "Text", "In Markdown: ## heading, **bold**, [words](address).", 10))},
			{optional(area("links", "Links", "One a line: its words, then its address.", 2))},
		}},
		{ID: "when", Legend: "When", Rows: [][]Field{
			{zone},
			{starts, ends},
			{choice("precision", "How much of the date is known", pairs(v["precision"], "minute", "Day and hours", "start", "Day and start", "day", "The day only", "month", "The month only"))},
		}},
		{ID: "where", Legend: "Where", Rows: [][]Field{
			{choice("mode", "People meet", pairs(v["mode"], "in_person", "In person", "online", "Online", "hybrid", "In a room and online"))},
			{optional(text("venue_name", "Venue", "")), optional(text("venue_address", "Street", ""))},
			{optional(text("venue_city", "City", "")), choice("venue_country", "Country", countryOptions(v["venue_country"]))},
			{optional(online), optional(text("online_place", "Where online", "Public words, such as Zoom."))},
		}},
		{ID: "registering", Legend: "Registration", Rows: [][]Field{
			{choice("registration", "People register", pairs(v["registration"], "portal", "Here", "outside", "On another site", "none", "Not at all: no registration needed"))},
			{optional(outside), optional(text("registration_note", "Note on registering", ""))},
			{optional(at("opens", "Opens", "Empty: as soon as it is published.")), optional(at("closes", "Closes", "Empty: at the start."))},
			{choice("choose", "A person takes", pairs(v["choose"], "one", "One ticket", "several", "One or several tickets, such as tracks"))},
		}},
	}
	return append(sections, f.partSections(path, errs, holders)...)
}

// shownAs is the type of a field for a time: plain text where browsers would hide what was typed.
func shownAs(kind, layout, value string) string {
	if _, err := time.Parse(layout, value); value != "" && err != nil {
		return "text"
	}
	return kind
}

// joinedSentences joins what is there of two sentences.
func joinedSentences(a, b string) string { return strings.TrimSpace(a + " " + b) }

// partSections lay out the repeated parts, each with an empty one behind it when there is none.
func (f eventForm) partSections(path string, errs FieldErrors, holders map[string]int) []FormSection {
	field := func(part string, n int, row formRow, name, label, kind string) Field {
		full := fmt.Sprintf("%s-%d-%s", part, n, name)
		fld := Field{Name: full, Label: label, Type: kind, Value: row[name], Error: errs.Of(full)}
		switch kind {
		case "text":
			fld.Max = 300
		case "area":
			fld.Rows = 2
		case "number":
			// A field of type number would not show what somebody typed that is none.
			fld.Type, fld.Max, fld.Digits = "text", 7, true
		case "time":
			fld.Type = shownAs("time", "15:04", row[name])
		}
		return fld
	}
	hint := func(fld Field, hint string) Field { fld.Hint = hint; return fld }
	layout := []struct {
		part, id, legend, hint, one, add string
		rows                             func(n int, row formRow) [][]Field
	}{
		{"quota", "seats", "Seats", "How many people fit, in the room or in each track. Without a number there is no limit.", "Seats", "Add seats", func(n int, row formRow) [][]Field {
			return [][]Field{{
				field("quota", n, row, "name", "Name", "text"), field("quota", n, row, "size", "How many", "number"), field("quota", n, row, "held", "Kept back", "number"),
			}}
		}},
		{"ticket", "tickets", "Tickets", "What people choose when they register. A ticket takes one of each of the seats that are ticked.", "Ticket", "Add a ticket", func(n int, row formRow) [][]Field {
			return [][]Field{{field("ticket", n, row, "name", "Name", "text"), field("ticket", n, row, "description", "Description", "text")}}
		}},
		{"agenda", "agenda", "Agenda", "In the order in which it happens.", "Session", "Add a session", func(n int, row formRow) [][]Field {
			return [][]Field{
				{field("agenda", n, row, "title", "Title", "text")},
				{field("agenda", n, row, "day", "Day", "number"), field("agenda", n, row, "starts", "Starts", "time"), field("agenda", n, row, "minutes", "Minutes", "number"), field("agenda", n, row, "track", "Track", "text")},
				{hint(field("agenda", n, row, "speakers", "Speakers", "text"), "Names, with commas between them.")},
				{field("agenda", n, row, "summary", "Summary", "area")},
			}
		}},
		{"speaker", "speakers", "Speakers", "", "Speaker", "Add a speaker", func(n int, row formRow) [][]Field {
			return [][]Field{
				{field("speaker", n, row, "name", "Name", "text"), field("speaker", n, row, "title", "Title", "text"), field("speaker", n, row, "employer", "Employer", "text")},
				{field("speaker", n, row, "url", "Web address", "url")},
				{field("speaker", n, row, "bio", "About", "area")},
			}
		}},
		{"sponsor", "sponsors", "Sponsors", "", "Sponsor", "Add a sponsor", func(n int, row formRow) [][]Field {
			return [][]Field{{field("sponsor", n, row, "name", "Name", "text"), field("sponsor", n, row, "contribution", "Gives", "text"), field("sponsor", n, row, "url", "Web address", "url")}}
		}},
	}
	severalDays := slices.ContainsFunc(f.rows["agenda"], func(row formRow) bool { return row["day"] != "" && row["day"] != "1" })
	var sections []FormSection
	for _, l := range layout {
		section := FormSection{ID: l.id, Legend: l.legend, Hint: l.hint, AddLabel: l.add, Add: l.part, AddURL: path + "#" + l.id}
		for n, row := range f.rows[l.part] {
			prefix := fmt.Sprintf("%s-%d-", l.part, n)
			part := FormPart{Legend: fmt.Sprintf("%s %d", l.one, n+1), Rows: l.rows(n, row)}
			if row["id"] != "" {
				part.HiddenName, part.HiddenID = prefix+"id", row["id"]
			}
			if len(row) > 0 {
				part.Remove = prefix + "remove"
			}
			if l.part == "ticket" {
				part.Choices = f.quotaChoices(prefix+"quotas", row["quotas"], errs)
				if held := holders[row["id"]]; held > 0 {
					part.Remove, part.Note = "", "Stands on "+people(held, "registration", "registrations")+", so it stays."
				}
			}
			if len(f.rows[l.part]) > 2 && row["title"] != "" && l.part == "agenda" && !faulty(part.Rows) {
				part.Folded = strings.TrimSpace(row["starts"] + " " + row["title"])
				if severalDays {
					part.Folded = "Day " + row["day"] + ", " + part.Folded
				}
			}
			section.Parts = append(section.Parts, part)
		}
		sections = append(sections, section)
	}
	return sections
}

// faulty reports whether a field has an error.
func faulty(rows [][]Field) bool {
	return slices.ContainsFunc(rows, func(row []Field) bool {
		return slices.ContainsFunc(row, func(f Field) bool { return f.Error != nil })
	})
}

func people(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// quotaChoices are the seats that a ticket may draw on.
func (f eventForm) quotaChoices(name, chosen string, errs FieldErrors) *FormChoices {
	if len(f.rows["quota"]) == 0 {
		return nil
	}
	choices := &FormChoices{Name: name, Label: "Takes one of", Error: errs.Of(name)}
	ticked := strings.Fields(chosen)
	for n, row := range f.rows["quota"] {
		label := row["name"]
		if label == "" {
			label = fmt.Sprintf("Seats %d", n+1)
		}
		choices.Options = append(choices.Options, Option{Value: strconv.Itoa(n), Label: label, Selected: slices.Contains(ticked, strconv.Itoa(n))})
	}
	return choices
}
