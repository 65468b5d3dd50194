package models

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/slug"
)

// SampleSize is how much of everything FillSample makes, and the seed from which it makes it.
type SampleSize struct {
	Posts, Groups, Events, Registrations int
	Seed                                 uint64
}

// MaxSample is the most that FillSample makes at once.
var MaxSample = SampleSize{Posts: 100_000, Groups: 1_000, Events: 20_000, Registrations: 1_000_000}

const (
	samplePostBatch         = 500    // posts of a transaction
	sampleRegistrationBatch = 10_000 // registrations of a transaction, unless one event has more
	sampleBodies            = 400    // different texts of posts in English, a tenth of that in each other language
	samplePostYears         = 6      // back from today
	sampleEventDays         = 4 * 365
	sampleEventDaysAhead    = 300
	sampleHost              = "sample.example" // of addresses: the name belongs to nobody for ever
	publicIDLetters         = "abcdefghijklmnopqrstuvwxyz234567"
)

// checked refuses a size that cannot be made.
func (n SampleSize) checked() error {
	for _, part := range []struct {
		of        string
		want, max int
	}{
		{"posts", n.Posts, MaxSample.Posts},
		{"groups", n.Groups, MaxSample.Groups},
		{"events", n.Events, MaxSample.Events},
		{"registrations", n.Registrations, MaxSample.Registrations},
	} {
		if part.want < 0 || part.want > part.max {
			return fmt.Errorf("%w: %d %s: at least 0 and at most %d", ErrInvalid, part.want, part.of, part.max)
		}
	}
	if n.Registrations > 0 && n.Events == 0 {
		return fmt.Errorf("%w: registrations need events", ErrInvalid)
	}
	return nil
}

// FillSample adds generated things to a database, all marked as sample: groups, profiles to run and write for them, events
// with tickets and registrations, posts. They are the same for the same seed, day and database before. Nobody is mailed. It
// refuses with ErrConflict where somebody registered for something in earnest. It commits in between, each time something
// whole, and tells progress how many of a kind are done.
func (s *Store) FillSample(ctx context.Context, want SampleSize, progress func(kind string, done, of int)) error {
	if err := want.checked(); err != nil {
		return err
	}
	var earnest bool
	if err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM registrations WHERE NOT sample)").Scan(&earnest).Error; err != nil {
		return translate(err)
	}
	if earnest {
		return fmt.Errorf("%w: the database holds real registrations, beside which no sample data is made", ErrConflict)
	}
	f := &sampleFill{Store: s, want: want, progress: progress, today: s.Now().Truncate(24 * time.Hour)}
	for _, last := range []struct {
		table string
		id    *int64
	}{
		{"groups", &f.lastGroup}, {"ambassadors", &f.lastAmbassador}, {"events", &f.lastEvent}, {"posts", &f.lastPost}, {"bylines", &f.lastByline},
	} {
		if err := s.read(ctx).Raw("SELECT COALESCE(max(id), 0) FROM " + last.table).Scan(last.id).Error; err != nil {
			return translate(err)
		}
	}
	// A second run on the same database must not draw the same numbers, which name things.
	before := f.lastGroup + f.lastAmbassador + f.lastEvent + f.lastPost
	f.rand = rand.New(rand.NewPCG(want.Seed, uint64(before))) //nolint:gosec // the same for the same seed is the point; ids are never negative
	for _, step := range []func(context.Context) error{f.people, f.groups, f.events, f.terms, f.posts} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sampleFill is a run of FillSample.
type sampleFill struct {
	*Store

	want     SampleSize
	progress func(kind string, done, of int)
	rand     *rand.Rand
	today    time.Time // midnight UTC of the store's day

	lastGroup, lastAmbassador, lastEvent, lastPost, lastByline int64 // ids of before, so that slugs count on

	names          []sampleNames
	ambassadors    []Ambassador // without texts
	groupRows      []Group      // without texts
	bylines        []int64
	main, sections []int64 // categories
	tags           []int64
	texts          map[string][]sampleText // by language
}

// sampleText is a text with what is made from it.
type sampleText struct {
	source   string
	rendered markdown.Rendered
}

// oneOfList draws an element of a list.
func oneOfList[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// early draws an index below n, the first ones more often than the last, as few people write most posts.
func (f *sampleFill) early(n int) int { return int(float64(n) * math.Pow(f.rand.Float64(), 2.5)) }

// some draws up to most different elements of a list.
func (f *sampleFill) some(list []string, most int) []string {
	var drawn []string
	for range 1 + f.rand.IntN(most) {
		if s := oneOfList(f.rand, list); !slices.Contains(drawn, s) {
			drawn = append(drawn, s)
		}
	}
	return drawn
}

// insert writes rows in statements of a few sizes, because the database's handle keeps each statement prepared. Nothing
// that hangs on a row is written with it.
func insert[T any](db *gorm.DB, rows []T) error {
	for _, n := range []int{256, 64, 16, 4, 1} {
		for len(rows) >= n {
			some := rows[:n]
			if err := db.Create(&some).Error; err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// person is somebody by their number: the same number is the same person.
func (f *sampleFill) person(n int) (name, address string) {
	h := uint64(n)*0x9e3779b97f4a7c15 + f.want.Seed //nolint:gosec // numbers are never negative
	h ^= h >> 29
	draw := func(of int) int {
		h = h*0xbf58476d1ce4e5b9 + 1
		return int((h >> 33) % uint64(of)) //nolint:gosec // 31 bits, below a length
	}
	names := f.names[draw(len(f.names))]
	given, family := names.given[draw(len(names.given))], names.family[draw(len(names.family))]
	name = given.name + names.between + family.name
	if names.familyFirst {
		name = family.name + names.between + given.name
	}
	return name, given.ascii + "." + family.ascii + strconv.Itoa(n)
}

func newSampleAddress(local string) string {
	return local[max(0, len(local)-64):] + "@" + sampleHost
}

// people makes profiles, with a byline each, and writers who have none.
func (f *sampleFill) people(ctx context.Context) error {
	f.names = newSamplePeople()
	profiles := min(200, (f.want.Groups+4)/5+(f.want.Posts+499)/500)
	writers := 0
	if f.want.Posts > 0 {
		writers = min(400, 1+f.want.Posts/50)
	}
	return f.tx(ctx, func(tx *Store) error {
		bylines := make([]Byline, 0, profiles+writers)
		for n := range profiles {
			city := sampleCities[(n*7)%len(sampleCities)]
			name, _ := f.person(-1 - n + math.MaxInt32)
			latitude, longitude := city.latitude, city.longitude
			a := Ambassador{
				Slug: numberedSlug(name, f.lastAmbassador+int64(n)+1), Status: AmbassadorPublished, Name: name, Title: oneOfList(f.rand, sampleJobs),
				Employer: oneOfList(f.rand, sampleEmployers), City: city.name, Country: city.country, Latitude: &latitude, Longitude: &longitude,
				Languages: []string{city.language}, Topics: f.some(sampleTopics, 4), Links: []Link{}, Sample: true, Version: 1,
				CreatedAt: f.today, UpdatedAt: f.today,
			}
			if city.language != "en" {
				a.Languages = append(a.Languages, "en")
			}
			text, err := f.write(ctx, tx, f.paragraphs(sampleGroupWords, 2))
			if err != nil {
				return err
			}
			a.setText(text.source, text.rendered)
			f.ambassadors = append(f.ambassadors, a)
		}
		if err := insert(tx.write(ctx), f.ambassadors); err != nil {
			return err
		}
		for n := range f.ambassadors {
			a := &f.ambassadors[n]
			bylines = append(bylines, Byline{Slug: numberedSlug(a.Name, f.lastByline+int64(len(bylines))+1), Name: a.Name, Title: a.Title, Employer: a.Employer, AmbassadorID: &a.ID})
		}
		for n := range writers {
			name, _ := f.person(math.MaxInt32/2 + n)
			bylines = append(bylines, Byline{
				Slug: numberedSlug(name, f.lastByline+int64(len(bylines))+1), Name: name, Title: oneOfList(f.rand, sampleJobs), Employer: oneOfList(f.rand, sampleEmployers),
			})
		}
		if f.want.Posts > 0 {
			if err := insert(tx.write(ctx), bylines); err != nil {
				return err
			}
		}
		for _, b := range bylines {
			f.bylines = append(f.bylines, b.ID)
		}
		f.rand.Shuffle(len(f.bylines), func(i, j int) { f.bylines[i], f.bylines[j] = f.bylines[j], f.bylines[i] })
		return tx.indexRange(ctx, SearchAmbassador, f.lastAmbassador+1, math.MaxInt64)
	})
}

// numberedSlug is a title as an address, made different from all others by a number.
func numberedSlug(title string, n int64) string {
	number := strconv.FormatInt(n, 10)
	s := slug.Make(title)
	return strings.Trim(s[:min(len(s), slug.MaxLength-1-len(number))], "-") + "-" + number
}

// paragraphs joins different sentences of a list.
func (f *sampleFill) paragraphs(list []string, n int) string {
	var b strings.Builder
	for _, i := range f.rand.Perm(len(list))[:n] {
		b.WriteString(list[i] + "\n\n")
	}
	return strings.TrimSpace(b.String())
}

func (f *sampleFill) write(ctx context.Context, tx *Store, source string) (sampleText, error) {
	rendered, err := tx.render(ctx, source, "")
	return sampleText{source, rendered}, err
}

func (f *sampleFill) groups(ctx context.Context) error {
	if f.want.Groups == 0 {
		return nil
	}
	created := f.today.AddDate(-samplePostYears, 0, 0)
	err := f.tx(ctx, func(tx *Store) error {
		for n := range f.want.Groups {
			city := sampleCities[n%len(sampleCities)]
			name := city.name + " " + sampleCircles[(n+n/len(sampleCities))%len(sampleCircles)]
			g := Group{
				Slug: numberedSlug(name, f.lastGroup+int64(n)+1), Status: GroupListed, Name: name, City: city.name, Country: city.country,
				Latitude: city.latitude, Longitude: city.longitude, Timezone: city.zone, Language: city.language, Topics: f.some(sampleTopics, 4),
				Links: []Link{}, Sample: true, Version: 1, CreatedAt: created, UpdatedAt: created,
			}
			if f.rand.IntN(50) == 0 && n > 0 {
				g.Status = GroupDelisted
			}
			text, err := f.write(ctx, tx, f.paragraphs(sampleGroupWords, 3))
			if err != nil {
				return err
			}
			g.setText(text.source, text.rendered)
			f.groupRows = append(f.groupRows, g)
		}
		if err := insert(tx.write(ctx), f.groupRows); err != nil {
			return err
		}
		var organisers []GroupOrganiser
		for n := range f.groupRows {
			a := &f.ambassadors[n%len(f.ambassadors)]
			organisers = append(organisers, GroupOrganiser{GroupID: f.groupRows[n].ID, AmbassadorID: &a.ID, CreatedAt: created})
		}
		if err := insert(tx.write(ctx), organisers); err != nil {
			return err
		}
		return tx.indexRange(ctx, SearchGroup, f.lastGroup+1, math.MaxInt64)
	})
	f.progress("groups", f.want.Groups, f.want.Groups)
	return err
}

// sampleEvent is an event with what belongs to it before any of it has an id.
type sampleEvent struct {
	event     Event
	reason    string // why it was cancelled
	online    int    // 1 in so many registers to take part online, where both can be chosen
	places    int    // registrations, also cancelled ones
	speakers  []Speaker
	agenda    []AgendaSession
	reachable []RegistrationStatus // of its registrations
	tickets   []int                // of its registrations: 0 or 1
}

func (f *sampleFill) events(ctx context.Context) error {
	if f.want.Events == 0 {
		return nil
	}
	places := f.shares()
	people := 1 + max(f.want.Registrations/4, slices.Max(places))
	var texts []sampleText
	for range 40 {
		text, err := f.write(ctx, f.Store, f.paragraphs(sampleEventWords, 3))
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	made, done := 0, 0
	for made < f.want.Events {
		var batch []sampleEvent
		registrations := 0
		for made+len(batch) < f.want.Events && len(batch) < 256 && registrations < sampleRegistrationBatch {
			n := made + len(batch)
			e, err := f.event(n, places[n], texts)
			if err != nil {
				return err
			}
			batch = append(batch, e)
			registrations += places[n]
		}
		if err := f.tx(ctx, func(tx *Store) error { return f.putEvents(ctx, tx, batch, people) }); err != nil {
			return err
		}
		made += len(batch)
		done += registrations
		f.progress("events", made, f.want.Events)
		if f.want.Registrations > 0 {
			f.progress("registrations", done, f.want.Registrations)
		}
	}
	return nil
}

// noRegistration tells of an event by its number that nobody registers for it here; never of the first.
func noRegistration(n int) bool { return n%12 == 7 || draftEvent(n) }

func draftEvent(n int) bool { return n%50 == 49 }

// shares is how many registrations each event gets: together all that are wanted, most of them few, a few of them many.
func (f *sampleFill) shares() []int {
	weights := make([]float64, f.want.Events)
	sum := 0.0
	for n := range weights {
		if weights[n] = 0; !noRegistration(n) {
			weights[n] = math.Pow(1-f.rand.Float64(), -0.7)
		}
		sum += weights[n]
	}
	shares := make([]int, f.want.Events)
	left := f.want.Registrations
	for n, w := range weights {
		shares[n] = int(float64(f.want.Registrations) * w / sum)
		left -= shares[n]
	}
	for n := 0; left > 0; n = (n + 1) % len(shares) {
		if !noRegistration(n) {
			shares[n]++
			left--
		}
	}
	return shares
}

// event makes the event of a number, which stands for its place among the dates.
func (f *sampleFill) event(n, places int, texts []sampleText) (sampleEvent, error) {
	number := f.lastEvent + int64(n) + 1
	language := f.language()
	e := Event{
		UID: f.uuid() + "@" + sampleHost, Status: EventPublished, Kind: KindMeetup, Mode: ModeInPerson, Title: oneOfList(f.rand, sampleEventTitles[language]),
		Language: language, TextLanguage: language, DatePrecision: PrecisionMinute, Hosts: []string{}, Registration: RegistrationPortal, Choose: ChooseOne,
		Links: []Link{}, Sample: true, Version: 1,
	}
	text := oneOfList(f.rand, texts)
	e.setText(text.source, text.rendered)
	e.Summary = text.rendered.Excerpt
	city := oneOfList(f.rand, sampleCities)
	e.Timezone, e.VenueCity, e.VenueCountry = city.zone, city.name, city.country
	if len(f.groupRows) > 0 && f.rand.IntN(10) > 0 {
		g := &f.groupRows[f.early(len(f.groupRows))]
		e.GroupID, e.Timezone, e.VenueCity, e.VenueCountry = &g.ID, g.Timezone, g.City, g.Country
	} else {
		e.Hosts = []string{oneOfList(f.rand, sampleEmployers)}
	}
	at, duration := "18:30", 150*time.Minute
	switch k := f.rand.IntN(40); {
	case k == 0:
		e.Kind, at, duration = KindConference, "09:00", 33*time.Hour
	case k == 1:
		e.Kind, at, duration = KindHackathon, "09:30", 8*time.Hour
	case k < 6:
		e.Kind, at, duration = KindCall, "16:00", time.Hour
	}
	switch m := f.rand.IntN(10); {
	case m < 2 || e.Kind == KindCall:
		e.Mode = ModeOnline
	case m < 5:
		e.Mode = ModeHybrid
	}
	if e.Mode != ModeInPerson {
		e.OnlineLink, e.OnlinePlace = "https://meet."+sampleHost+"/"+strconv.FormatInt(number, 10), "Video call"
	}
	if e.Mode == ModeOnline {
		e.VenueCity, e.VenueCountry = "", ""
	} else {
		e.VenueName, e.VenueAddress = oneOfList(f.rand, sampleVenues), strconv.Itoa(1+f.rand.IntN(120))+", Example Street"
	}
	// The day after its neighbour's or the same, so that events are made in the order of their dates.
	day := -sampleEventDays + n*(sampleEventDays+sampleEventDaysAhead)/f.want.Events
	if err := e.setTimes(f.today.AddDate(0, 0, day).Format(time.DateOnly)+"T"+at, duration); err != nil {
		return sampleEvent{}, err
	}
	e.Slug = numberedSlug(e.Title+" "+e.StartsLocal[:len("2006-01")], number)
	e.CreatedAt = e.StartsAt.AddDate(0, 0, -30-f.rand.IntN(60))
	if latest := f.today.Add(-time.Duration(1+f.rand.IntN(40*24)) * time.Hour); e.CreatedAt.After(latest) {
		e.CreatedAt = latest
	}
	published := e.CreatedAt
	e.PublishedAt, e.UpdatedAt = &published, e.CreatedAt
	made := sampleEvent{places: places, online: 3}
	switch {
	case draftEvent(n):
		e.Status, e.PublishedAt = EventDraft, nil
	case noRegistration(n) && f.rand.IntN(2) == 0:
		e.Registration, e.RegistrationNote = RegistrationNone, "Just come."
	case noRegistration(n):
		e.Registration, e.RegistrationURL = RegistrationOutside, "https://tickets."+sampleHost+"/"+strconv.FormatInt(number, 10)
	case f.rand.IntN(50) == 0:
		e.Status, made.reason = EventCancelled, oneOfList(f.rand, sampleReasons)
	}
	f.programme(&made, number, at)
	made.event = e
	for range places {
		status, ticket := RegistrationConfirmed, 0
		if f.rand.IntN(16) == 0 {
			status = RegistrationCancelled
		}
		if e.Mode == ModeOnline || e.Mode == ModeHybrid && f.rand.IntN(made.online) == 0 {
			ticket = 1
		}
		made.reachable, made.tickets = append(made.reachable, status), append(made.tickets, ticket)
	}
	return made, nil
}

// programme adds speakers and what they speak about to every other event.
func (f *sampleFill) programme(e *sampleEvent, number int64, at string) {
	if f.rand.IntN(2) == 0 {
		return
	}
	start, _ := time.Parse("15:04", at) // ours, and well formed
	for position := 1; position <= 3; position++ {
		session := AgendaSession{
			Position: position, Day: 1, Starts: start.Format("15:04"), Minutes: 40, Title: oneOfList(f.rand, sampleSessionTitles), SpeakerNames: []string{},
		}
		if position > 1 {
			name, _ := f.person(math.MaxInt32/4 + int(number)*3 + position)
			session.SpeakerNames = []string{name}
			e.speakers = append(e.speakers, Speaker{
				Position: position - 1, Name: name, Title: oneOfList(f.rand, sampleJobs), Employer: oneOfList(f.rand, sampleEmployers),
			})
		}
		e.agenda = append(e.agenda, session)
		start = start.Add(40 * time.Minute)
	}
}

// language draws a language in which there are words: mostly English.
func (f *sampleFill) language() string {
	switch f.rand.IntN(24) {
	case 0:
		return "de"
	case 1:
		return "es"
	case 2:
		return "ja"
	}
	return "en"
}

func (f *sampleFill) uuid() string {
	var id uuid.UUID
	for n := range id {
		id[n] = byte(f.rand.Uint32()) //nolint:gosec // the lowest byte
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562: version 4
	return id.String()
}

// putEvents writes events with their tickets and registrations.
func (f *sampleFill) putEvents(ctx context.Context, tx *Store, batch []sampleEvent, people int) error {
	events := make([]Event, len(batch))
	for n, e := range batch {
		events[n] = e.event
	}
	if err := insert(tx.write(ctx), events); err != nil {
		return err
	}
	var cancelled []EventCancellation
	var speakers []Speaker
	var agenda []AgendaSession
	var quotas []Quota
	var types []TicketType
	for n, e := range batch {
		id := events[n].ID
		if e.reason != "" {
			cancelled = append(cancelled, EventCancellation{EventID: id, Reason: e.reason, CreatedAt: events[n].CreatedAt.Add(time.Hour)})
		}
		for _, s := range e.speakers {
			s.EventID = id
			speakers = append(speakers, s)
		}
		for _, s := range e.agenda {
			s.EventID = id
			agenda = append(agenda, s)
		}
		if e.event.Registration == RegistrationPortal {
			q, t := f.tickets(id, e)
			quotas, types = append(quotas, q...), append(types, t...)
		}
	}
	if err := cmp.Or(insert(tx.write(ctx), cancelled), insert(tx.write(ctx), speakers), insert(tx.write(ctx), agenda),
		insert(tx.write(ctx), quotas), insert(tx.write(ctx), types)); err != nil {
		return err
	}
	draws := make([]TicketTypeQuota, len(types))
	offered := map[int64]map[string]int64{} // ticket types by event and slug
	for n, t := range types {
		draws[n] = TicketTypeQuota{TicketTypeID: t.ID, QuotaID: quotas[n].ID}
		if offered[t.EventID] == nil {
			offered[t.EventID] = map[string]int64{}
		}
		offered[t.EventID][t.Slug] = t.ID
	}
	if err := insert(tx.write(ctx), draws); err != nil {
		return err
	}
	var all []sampleRegistration
	for n, e := range batch {
		all = f.registrations(all, events[n], e, offered[events[n].ID], people)
	}
	if err := f.putRegistrations(ctx, tx, all); err != nil {
		return err
	}
	return tx.indexRange(ctx, SearchEvent, events[0].ID, events[len(events)-1].ID)
}

var sampleTickets = [2]TicketType{
	{Slug: "seat", Name: "Seat", Description: "In the room.", Position: 1},
	{Slug: "online", Name: "Online", Description: "The link comes with your ticket.", Position: 2},
}

// tickets are those of an event, with a quota each: seats are limited, taking part online is not.
func (f *sampleFill) tickets(id int64, e sampleEvent) (quotas []Quota, types []TicketType) {
	for kind, t := range sampleTickets {
		if kind == 0 && e.event.Mode == ModeOnline || kind == 1 && e.event.Mode == ModeInPerson {
			continue
		}
		t.EventID = id
		q := Quota{EventID: id, Slug: t.Slug, Name: t.Name}
		for n, status := range e.reachable {
			if status == RegistrationConfirmed && e.tickets[n] == kind {
				q.Taken++
			}
		}
		if kind == 0 {
			// Every fourth is full, one of them because places are held back.
			size := q.Taken
			switch f.rand.IntN(8) {
			case 0:
			case 1:
				q.Held = 4
				size += q.Held
			default:
				size += 20 + f.rand.IntN(10+q.Taken)
			}
			q.Size = &size
		}
		quotas, types = append(quotas, q), append(types, t)
	}
	return quotas, types
}

// sampleRegistration is a registration and its ticket.
type sampleRegistration struct {
	Registration

	ticket int64
}

// registrations adds those of an event.
func (f *sampleFill) registrations(all []sampleRegistration, event Event, e sampleEvent, offered map[string]int64, people int) []sampleRegistration {
	if e.places == 0 {
		return all
	}
	until := event.StartsAt
	if until.After(f.today) {
		until = f.today
	}
	// People are taken in steps that meet nobody twice, because the number of people is made no multiple of the step.
	const step = 7919
	if people%step == 0 {
		people++
	}
	first := f.rand.IntN(people)
	span := until.Sub(*event.PublishedAt) / time.Duration(e.places)
	for n := range e.places {
		name, local := f.person((first + n*step) % people)
		address := newSampleAddress(local)
		at := event.PublishedAt.Add(time.Duration(n)*span + time.Duration(f.rand.Int64N(int64(span)+1))).Truncate(time.Second)
		row := sampleRegistration{
			Registration: Registration{
				EventID: event.ID, PublicID: f.publicID(), LinkVersion: 1, Status: e.reachable[n], Name: name, Email: address, EmailKey: EmailKey(address),
				Sample: true, CreatedAt: at,
			},
			ticket: offered[sampleTickets[e.tickets[n]].Slug],
		}
		if row.Status == RegistrationCancelled {
			cancelled := at.Add(until.Sub(at) / 2).Truncate(time.Second)
			row.CancelledAt = &cancelled
		}
		all = append(all, row)
	}
	return all
}

func (f *sampleFill) publicID() string {
	var id [publicIDLength]byte
	for n := range id {
		id[n] = publicIDLetters[f.rand.IntN(len(publicIDLetters))]
	}
	return string(id[:])
}

// putRegistrations writes registrations with what Register and Cancel write, but for the mails.
func (f *sampleFill) putRegistrations(ctx context.Context, tx *Store, all []sampleRegistration) error {
	version, err := tx.conductVersion(ctx)
	if err != nil {
		return err
	}
	rows := make([]Registration, len(all))
	for n, r := range all {
		rows[n] = r.Registration
	}
	if err := insert(tx.write(ctx), rows); err != nil {
		return err
	}
	tickets := make([]RegistrationTicket, len(all))
	consents := make([]Consent, len(all))
	entries := make([]AuditEntry, 0, len(all))
	for n, r := range rows {
		tickets[n] = RegistrationTicket{RegistrationID: r.ID, TicketTypeID: all[n].ticket}
		consents[n] = Consent{RegistrationID: &rows[n].ID, Purpose: ConsentConduct, Version: version, GivenAt: r.CreatedAt}
		entry := AuditEntry{
			Actor: string(attendee.Role), Action: "registration.create", Subject: "registrations", SubjectID: r.ID,
			AfterValue: string(RegistrationConfirmed), CreatedAt: r.CreatedAt,
		}
		entries = append(entries, entry)
		if r.CancelledAt != nil {
			entry.Action, entry.BeforeValue, entry.AfterValue, entry.CreatedAt = "registration.cancel", entry.AfterValue, string(RegistrationCancelled), *r.CancelledAt
			entries = append(entries, entry)
		}
	}
	return cmp.Or(insert(tx.write(ctx), tickets), insert(tx.write(ctx), consents), insert(tx.write(ctx), entries))
}

// terms makes sure of the categories and tags, and writes the texts of posts.
func (f *sampleFill) terms(ctx context.Context) error {
	if f.want.Posts == 0 {
		return nil
	}
	return f.tx(ctx, func(tx *Store) error {
		category := func(name string) (int64, error) {
			row := Category{Slug: slug.Make(name), Name: name}
			err := tx.write(ctx).Where(Category{Slug: row.Slug}).FirstOrCreate(&row).Error
			return row.ID, err
		}
		id, err := category("Blog")
		if err != nil {
			return err
		}
		f.main = []int64{id}
		for _, name := range sampleCategories {
			if id, err = category(name); err != nil {
				return err
			}
			f.sections = append(f.sections, id)
		}
		for _, name := range sampleTopics {
			row := Tag{Slug: slug.Make(name), Name: name}
			if err := tx.write(ctx).Where(Tag{Slug: row.Slug}).FirstOrCreate(&row).Error; err != nil {
				return err
			}
			f.tags = append(f.tags, row.ID)
		}
		f.texts = map[string][]sampleText{}
		for _, language := range []string{"en", "de", "es", "ja"} {
			n := sampleBodies / 10
			if language == "en" {
				n = sampleBodies
			}
			for range min(n, f.want.Posts) {
				text, err := f.write(ctx, tx, f.body(language))
				if err != nil {
					return err
				}
				f.texts[language] = append(f.texts[language], text)
			}
		}
		return nil
	})
}

// body is the text of a post in Markdown: a beginning, and sections of which some have a list, a table or a piece of code.
func (f *sampleFill) body(language string) string {
	sentences, headings := sampleSentences[language], sampleHeadings[language]
	var b strings.Builder
	paragraph := func() {
		between := " "
		if language == "ja" {
			between = ""
		}
		var some []string
		for _, n := range f.rand.Perm(len(sentences))[:2+f.rand.IntN(3)] {
			some = append(some, sentences[n])
		}
		b.WriteString(strings.Join(some, between) + "\n\n")
	}
	paragraph()
	for _, n := range f.rand.Perm(len(headings))[:2+f.rand.IntN(3)] {
		b.WriteString("## " + headings[n] + "\n\n")
		for range 1 + f.rand.IntN(2) {
			paragraph()
		}
		switch f.rand.IntN(6) {
		case 0:
			for _, topic := range f.some(sampleTopics, 4) {
				b.WriteString("- " + topic + "\n")
			}
			b.WriteString("\n")
		case 1:
			fmt.Fprintf(&b, "| | before | after |\n|---|---|---|\n| minutes a build | %d | %d |\n| releases a month | %d | %d |\n\n",
				20+f.rand.IntN(60), 3+f.rand.IntN(15), 1+f.rand.IntN(3), 10+f.rand.IntN(200))
		case 2:
			fmt.Fprintf(&b, "```yaml\nsteps:\n  - name: build\n    timeout: %dm\n  - name: sign\n  - name: deploy\n    canary: %d%%\n```\n\n", 5+f.rand.IntN(20), 1+f.rand.IntN(20))
		}
	}
	return b.String()
}

func (f *sampleFill) posts(ctx context.Context) error {
	for made := 0; made < f.want.Posts; {
		next := min(made+samplePostBatch, f.want.Posts)
		if err := f.tx(ctx, func(tx *Store) error { return f.putPosts(ctx, tx, made, next) }); err != nil {
			return err
		}
		made = next
		f.progress("posts", made, f.want.Posts)
	}
	return nil
}

// putPosts writes the posts of the numbers from first up to and without next.
func (f *sampleFill) putPosts(ctx context.Context, tx *Store, first, next int) error {
	posts := make([]Post, 0, next-first)
	for n := first; n < next; n++ {
		posts = append(posts, f.post(n))
	}
	if err := insert(tx.write(ctx), posts); err != nil {
		return err
	}
	var categories []PostCategory
	var tags []PostTag
	var bylines []PostByline
	var revisions []Revision
	for _, p := range posts {
		categories = append(categories, PostCategory{PostID: p.ID, CategoryID: f.main[0], Position: 1},
			PostCategory{PostID: p.ID, CategoryID: f.sections[f.early(len(f.sections))], Position: 2})
		for n, tag := range distinctOf(1+f.rand.IntN(4), func() int64 { return f.tags[f.early(len(f.tags))] }) {
			tags = append(tags, PostTag{PostID: p.ID, TagID: tag, Position: n + 1})
		}
		for n, byline := range distinctOf(1+f.rand.IntN(6)/5, func() int64 { return f.bylines[f.early(len(f.bylines))] }) {
			bylines = append(bylines, PostByline{PostID: p.ID, BylineID: byline, Position: n + 1})
		}
		revisions = append(revisions, Revision{PostID: p.ID, Title: p.Title, Excerpt: p.Excerpt, Markdown: p.Markdown, CreatedAt: p.CreatedAt})
	}
	if err := cmp.Or(insert(tx.write(ctx), categories), insert(tx.write(ctx), tags), insert(tx.write(ctx), bylines), insert(tx.write(ctx), revisions)); err != nil {
		return err
	}
	return tx.indexRange(ctx, SearchPost, posts[0].ID, posts[len(posts)-1].ID)
}

// distinctOf draws some times and keeps what is new.
func distinctOf(times int, draw func() int64) []int64 {
	var drawn []int64
	for range times {
		if id := draw(); !slices.Contains(drawn, id) {
			drawn = append(drawn, id)
		}
	}
	return drawn
}

// post makes the post of a number, which stands for its place among the dates. The last few of many are still to appear.
func (f *sampleFill) post(n int) Post {
	language := f.language()
	parts := sampleTitles[language]
	between := " "
	if language == "ja" {
		between = ""
	}
	title := strings.Join([]string{oneOfList(f.rand, parts[0]), oneOfList(f.rand, parts[1]), oneOfList(f.rand, parts[2])}, between)
	begin := f.today.AddDate(-samplePostYears, 0, 0)
	slot := f.today.Sub(begin) / time.Duration(f.want.Posts)
	publish := begin.Add(time.Duration(n)*slot + time.Duration(f.rand.Int64N(int64(slot)))).Truncate(time.Second)
	if ahead := n - f.want.Posts + f.want.Posts/200; ahead >= 0 {
		publish = f.today.AddDate(0, 0, 1).Add(time.Duration(ahead) * time.Hour)
	}
	created := publish
	if limit := f.today.Add(-time.Hour); created.After(limit) {
		created = limit
	}
	p := Post{
		UUID: f.uuid(), Slug: numberedSlug(title, f.lastPost+int64(n)+1), Status: PostPublished, PublishAt: &publish, Title: title, Language: language,
		Licence: "CC-BY-4.0", Sample: true, Version: 1, CreatedAt: created, UpdatedAt: created,
	}
	text := oneOfList(f.rand, f.texts[language])
	p.setText(text.source, "", text.rendered)
	if len(f.groupRows) > 0 && f.rand.IntN(20) == 0 {
		p.GroupID = &f.groupRows[f.early(len(f.groupRows))].ID
	}
	switch {
	case n%60 == 30:
		p.Status, p.PublishAt = oneOfList(f.rand, []PostStatus{PostDraft, PostSubmitted, PostChangesAsked}), nil
	case f.rand.IntN(30) == 0:
		if changed := publish.AddDate(0, 0, 3); changed.Before(f.today) {
			p.ChangedAt, p.UpdatedAt, p.Version = &changed, changed, 2
		}
	}
	return p
}
