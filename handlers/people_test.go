package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cdfoundation/portal/internal/artwork"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// newPeopleWorld is a deskWorld with ambassadors, groups, pages, and what they wrote and host.
func newPeopleWorld(t testing.TB) *deskWorld {
	t.Helper()
	w := newDeskWorld(t)
	now := w.store.Now()
	put := func(rows ...any) {
		t.Helper()
		for _, row := range rows {
			if err := w.db.Writer.Create(row).Error; err != nil {
				t.Fatal(err)
			}
		}
	}
	lat, lon := 50.84, -.78
	cohort, helen := int64(1), int64(101)
	put(
		&models.Cohort{ID: 1, Slug: "first", Title: "First cohort", WelcomedOn: "2020-05-01", Size: 13, HTML: "<p>Welcome.</p>", UpdatedAt: now},
		&models.Ambassador{
			ID: helen, Slug: "helen-beal", CohortID: &cohort, Status: models.AmbassadorPublished, Name: "Helen Beal", Title: "Coach", Employer: "Institute",
			City: "Chichester", Country: "GB", Latitude: &lat, Longitude: &lon, Languages: []string{"en"}, Topics: []string{"Value streams"},
			Links: []models.Link{{Label: "Website", URL: "https://example.org/h"}}, Handle: "helen", Quote: "Community!", HTML: "<p>Words of Helen.</p>",
			Version: 1, CreatedAt: now, UpdatedAt: now,
		},
		&models.Ambassador{
			ID: 102, Slug: "eduardo", CohortID: &cohort, Status: models.AmbassadorPublished, Name: `Eduardo <b>Arango</b>`, Country: "CO",
			Languages: []string{"es"}, Topics: []string{"GitOps"}, Version: 1, CreatedAt: now, UpdatedAt: now,
		},
		&models.Ambassador{ID: 103, Slug: "draft-one", Status: models.AmbassadorDraft, Name: "Draft One", Version: 1, CreatedAt: now, UpdatedAt: now},
		&models.SlugHistory{Kind: "ambassador", Slug: "helen", ObjectID: helen, CreatedAt: now},
		newTestGroup(11, "nairobi", "Nairobi", "KE", -1.29, 36.82, models.GroupListed),
		newTestGroup(12, "tokyo", "東京", "JP", 35.68, 139.69, models.GroupListed),
		newTestGroup(13, "gone", "Gone", "DE", 50, 10, models.GroupDelisted),
		&models.SlugHistory{Kind: "group", Slug: "nairobi-old", ObjectID: 11, CreatedAt: now},
		&models.GroupOrganiser{ID: 901, GroupID: 11, AmbassadorID: &helen, CreatedAt: now},
		newTestEvent(21, 11, "coming", "Coming evening", now.Add(48*time.Hour)),
		newTestEvent(22, 11, "over", "Evening before", now.Add(-48*time.Hour)),
		&models.EventAmbassador{EventID: 21, AmbassadorID: helen},
		&models.Tag{ID: 5, Slug: "tekton", Name: "tekton"},
		newTestPage("about", "About the foundation", 4),
		newTestPage("events", "A page that hides the events", 0),
		newTestPage("ambassadors/apply", "The programme", 3),
		newTestPage("projects/tekton", "Tekton", 1),
		newTestPage("projects/jenkins", "Jenkins", 1),
	)
	group := int64(11)
	w.exec("UPDATE pages SET project_status = 'founding', project_website = 'https://tekton.dev/' WHERE path = 'projects/tekton'")
	for i, p := range []models.Post{
		{Slug: "meet-helen", Title: "Meet Helen", IntroducesID: &helen},
		{Slug: "by-the-group", Title: "By the group", GroupID: &group},
	} {
		p.ID, p.UUID, p.Status, p.Language, p.Licence = int64(31+i), fmt.Sprintf("00000000-0000-4000-8000-%012d", i), models.PostPublished, "en", "CC-BY-4.0"
		at := now.Add(-time.Hour)
		p.PublishAt, p.Contents, p.Version, p.CreatedAt, p.UpdatedAt = &at, []markdown.Heading{}, 1, at, at
		put(&p)
	}
	put(&models.PostTag{PostID: 31, TagID: 5, Position: 1})
	return w
}

func newTestGroup(id int64, slug, city, country string, lat, lon float64, status models.GroupStatus) *models.Group {
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return &models.Group{
		ID: id, Slug: slug, Status: status, Name: "CD " + city, City: city, Country: country, Latitude: lat, Longitude: lon, Timezone: "Africa/Nairobi",
		Language: "en", Topics: []string{"Tekton"}, HTML: "<p>About it.</p>", Sample: slug == "tokyo", Version: 1, CreatedAt: at, UpdatedAt: at,
	}
}

func newTestEvent(id, group int64, slug, title string, starts time.Time) *models.Event {
	published := time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC)
	return &models.Event{
		ID: id, Slug: slug, UID: fmt.Sprintf("00000000-0000-4000-9000-%012d@example.org", id), GroupID: &group, Status: models.EventPublished,
		Kind: models.KindMeetup, Mode: models.ModeOnline, Title: title, Language: "en", TextLanguage: "en", Timezone: "UTC",
		StartsLocal: starts.Format(models.LocalLayout), EndsLocal: starts.Add(2 * time.Hour).Format(models.LocalLayout),
		StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), DatePrecision: models.PrecisionMinute, Registration: models.RegistrationNone,
		Choose: models.ChooseOne, Version: 1, PublishedAt: &published, CreatedAt: published, UpdatedAt: published,
	}
}

// newTestPage is a page with that many headings.
func newTestPage(path, title string, headings int) *models.Page {
	p := &models.Page{
		Path: path, Title: title, Description: "What " + title + " is.", HTML: "<p>Begins.</p>", Contents: []markdown.Heading{},
		UpdatedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for i := range headings {
		id := fmt.Sprintf("part-%d", i)
		p.Contents = append(p.Contents, markdown.Heading{Level: 2, ID: id, Text: "Part"})
		p.HTML += `<h2 id="` + id + `">Part <a class="anchor" href="#` + id + `" aria-label="Link">#</a></h2><ol><li>One</li></ol>`
	}
	return p
}

func TestPagesOfPeopleAndGroups(t *testing.T) {
	w := newPeopleWorld(t)
	for _, tt := range []struct {
		name, get   string
		status      int
		title       string
		has, hasNot []string
	}{
		{
			"the directory shows who is published", "/ambassadors", 200, "Ambassadors",
			[]string{`#people a[href="/ambassadors/helen-beal"]`, `#people a[href="/ambassadors/eduardo"]`, `a[href="/ambassadors/cohorts/first"]`, `.band a[href="/ambassadors/apply"]`, `option[value="value-streams"]`},
			[]string{`a[href="/ambassadors/draft-one"]`, "#people b b", `meta[name=robots]`},
		},
		{
			"the directory is narrowed by country", "/ambassadors?country=CO", 200, "",
			[]string{`#people li:not([hidden]) a[href="/ambassadors/eduardo"]`, `#people li[hidden] a[href="/ambassadors/helen-beal"]`, `option[value="CO"][selected]`, `meta[name=robots][content^=noindex]`},
			[]string{"#people-none:not([hidden])"},
		},
		{
			"the directory is narrowed by language and text", "/ambassadors?language=en&q=CHICHESTER", 200, "",
			[]string{`#people li:not([hidden]) a[href="/ambassadors/helen-beal"]`, `#people li[hidden] a[href="/ambassadors/eduardo"]`},
			nil,
		},
		{
			"a topic that nobody has leads on", "/ambassadors?topic=%3Cscript%3E", 200, "",
			[]string{"#people-none:not([hidden]) a"},
			[]string{"#people li:not([hidden])", "main script"},
		},
		{
			"a profile shows what is known", "/ambassadors/helen-beal", 200, "Helen Beal",
			[]string{
				".portrait svg", ".map-inset use", `a[href="/ambassadors/cohorts/first"]`, `a[href="https://twitter.com/helen"]`, `a[href="https://example.org/h"]`, ".quote", ".words p",
				`a.tag[href="/ambassadors?topic=value-streams"]`, `.event-row a[href="/events/coming"]`, `.group-row a[href="/groups/nairobi"]`, `.post-line a[href="/blog/meet-helen"]`,
				`link[rel=alternate][href$="/ambassadors/helen-beal/feed.xml"]`, `link[rel=alternate][type="text/calendar"]`,
			},
			[]string{`a[href="/events/over"]`},
		},
		{
			"a profile of which little is known", "/ambassadors/eduardo", 200, "Eduardo <b>Arango</b>", nil,
			[]string{".map-inset", ".quote", ".event-row", ".group-row", "h1 b"},
		},
		{"a draft is nobody's", "/ambassadors/draft-one", 404, "", nil, nil},
		{"an unknown person", "/ambassadors/nobody", 404, "", nil, nil},
		{"a cohort says who is missing", "/ambassadors/cohorts/first", 200, "First cohort of ambassadors", []string{".faces-more", `.faces a[href="/ambassadors/eduardo"]`}, []string{`a[href="/ambassadors/draft-one"]`}},
		{"an unknown cohort", "/ambassadors/cohorts/second", 404, "", nil, nil},
		{"the programme", "/ambassadors/apply", 200, "The programme", []string{`section#part-0 h2`, `section#part-2 ol`, `a.btn-primary[href="#part-2"]`, ".invite .face"}, []string{"h2 a.anchor", ".contents"}},
		{
			"the groups stand in a list and on the map", "/groups", 200, "Groups",
			[]string{`#groups-list a[href="/groups/nairobi"]`, `.map a[href="/groups/nairobi"][aria-label="CD Nairobi, Nairobi, Kenya"] circle`, `.map use[href*="/static/img/world."]`, `.group-row .sample`, `.band a[href="/ambassadors/apply"]`},
			[]string{`a[href="/groups/gone"]`, `meta[name=robots]`},
		},
		{
			"the groups of a region", "/groups?region=africa-middle-east", 200, "Groups in Africa, Middle East",
			[]string{`#groups-list a[href="/groups/nairobi"]`, `.views [aria-current][href="/groups?region=africa-middle-east"]`, `link[rel=canonical][href$="/groups?region=africa-middle-east"]`, `input[name=region][value=africa-middle-east]`},
			[]string{`a[href="/groups/berlin"]`, `option[value="DE"]`},
		},
		{"the groups of a country", "/groups?country=JP&topic=tekton&q=tokyo", 200, "", []string{`article[hidden] a[href="/groups/berlin"]`, `.map a.is-hidden[href="/groups/berlin"]`}, []string{`article:not([hidden]) a[href="/groups/berlin"]`}},
		{"a country without groups leads on", "/groups?country=XX", 200, "", []string{"#groups-none:not([hidden]) a", ".filter-note"}, []string{"#groups-list article:not([hidden])"}},
		{"a region that is none leads on", "/groups?region=atlantis", 200, "", []string{"#groups-none:not([hidden])"}, []string{"#groups-list article"}},
		{
			"a group", "/groups/nairobi", 200, "CD Nairobi",
			[]string{
				`.cover svg`, `.map-inset use`, `.event-row a[href="/events/coming"]`, `.event-row a[href="/events/over"]`, `.post-line a[href="/blog/by-the-group"]`, `.organisers a[href="/ambassadors/helen-beal"]`,
				`.btn-primary[href="/groups/nairobi/events.ics"]`, `a[href="/groups/nairobi/feed.xml"]`, `a.tag[href="/groups?topic=tekton"]`,
			},
			[]string{".sample", ".empty"},
		},
		{"a group without anything says what to do", "/groups/tokyo", 200, "CD 東京", []string{".empty a", ".sample", `.quiet a[href="/ambassadors/apply"]`}, []string{".event-row", ".organisers"}},
		{"a delisted group is gone", "/groups/gone", 410, "", nil, nil},
		{"an unknown group", "/groups/nowhere", 404, "", nil, nil},
		{"a page with its contents", "/about", 200, "About the foundation", []string{`.contents-l a[href="#part-3"]`, ".prose h2", `.neighbours a[aria-current]`}, []string{".facts", `.neighbours a[href="/projects/tekton"]`}},
		{
			"a project", "/projects/tekton", 200, "Tekton",
			[]string{`.facts a[href="https://tekton.dev/"]`, `.post-line a[href="/blog/meet-helen"]`, `.group-row a[href="/groups/nairobi"]`, `.neighbours a[href="/projects/jenkins"]`, `a[href="/groups?topic=tekton"]`},
			[]string{".contents", `.neighbours a[href="/about"]`},
		},
		{"a project nobody writes about", "/projects/jenkins", 200, "Jenkins", nil, []string{".post-line", ".group-row"}},
		{"no page", "/projects/nothing", 404, "", nil, nil},
		{"no page at all", "/nothing", 404, "", nil, nil},
		{"a page hides no other address", "/events", 200, "Events", nil, nil},
		{
			"the home page", "/", 200, "Where people who ship software meet",
			[]string{
				`.hero-search[action="/search"] input[name=q]`, `.event-row a[href="/events/coming"]`, ".feature h3 a", `.map-panel a[href="/groups/tokyo"] .dot`, `.map-panel a[href="/ambassadors/helen-beal"] .face-bg`,
				`.faces a[href="/ambassadors/eduardo"]`, `.faces a[href="/ambassadors/cohorts/first"]`, `.band .btn-primary`,
			},
			[]string{`.event-row a[href="/events/over"]`, `input[type=email]`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := w.page(w.get("", tt.get), tt.status)
			if n := doc.Count("h1"); n != 1 {
				t.Errorf("%d headings of level 1", n)
			}
			if got := doc.Text("title"); tt.title != "" && got != tt.title+" · CDF Community" {
				t.Errorf("title %q, want %q", got, tt.title)
			}
			for _, selector := range tt.has {
				if !doc.Has(selector) {
					t.Errorf("has no %s", selector)
				}
			}
			for _, selector := range append(tt.hasNot, "[style]", "main script") {
				if doc.Has(selector) {
					t.Errorf("has %s", selector)
				}
			}
		})
	}
}

func TestEmptyStatesNameTheNextStep(t *testing.T) {
	w := newDeskWorld(t)
	w.exec("UPDATE groups SET status = 'delisted'")
	w.exec("UPDATE ambassadors SET status = 'draft'")
	for _, path := range []string{"/", "/groups", "/ambassadors"} {
		doc := w.page(w.get("", path), http.StatusOK)
		if !doc.Has(".empty:not([hidden]) .btn") && !doc.Has(".empty:not([hidden]) p") {
			t.Errorf("%s says nothing about there being nothing", path)
		}
	}
	if doc := w.page(w.get("", "/groups"), http.StatusOK); !strings.Contains(doc.Text("h1"), "0 groups") {
		t.Errorf("the groups' heading is %q", doc.Text("h1"))
	}
	w.page(w.get("", "/ambassadors/apply"), http.StatusNotFound)
}

func TestFormerSlugsLeadToThePresentOnes(t *testing.T) {
	w := newPeopleWorld(t)
	for from, to := range map[string]string{
		"/ambassadors/helen":                "/ambassadors/helen-beal",
		"/ambassadors/helen/feed.json":      "/ambassadors/helen-beal/feed.json",
		"/ambassadors/helen/events.ics?x=1": "/ambassadors/helen-beal/events.ics?x=1",
		"/groups/nairobi-old":               "/groups/nairobi",
		"/groups/nairobi-old/feed.atom":     "/groups/nairobi/feed.atom",
		"/groups/nairobi-old/events.ics":    "/groups/nairobi/events.ics",
	} {
		answer := w.get("", from)
		if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusMovedPermanently || got != to {
			t.Errorf("%s: %d to %q, want 301 to %s", from, answer.StatusCode, got, to)
		}
	}
}

func TestFeedsAndCalendarsOfPeopleAndGroups(t *testing.T) {
	w := newPeopleWorld(t)
	for path, want := range map[string]string{
		"/ambassadors/helen-beal/feed.json": "Meet Helen",
		"/groups/nairobi/feed.json":         "By the group|Evening before|Coming evening",
		"/groups/tokyo/feed.json":           "",
	} {
		answer := w.get("", path)
		var feed struct {
			Items []struct{ Title string }
		}
		if err := json.Unmarshal(answer.body, &feed); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var titles []string
		for _, item := range feed.Items {
			titles = append(titles, item.Title)
		}
		if got := strings.Join(titles, "|"); got != want {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]int{
		"/ambassadors/helen-beal/events.ics": 1, "/ambassadors/eduardo/events.ics": 0, "/groups/nairobi/events.ics": 2, "/groups/tokyo/events.ics": 0,
	} {
		answer := w.get("", path)
		if got := strings.Count(string(answer.body), "BEGIN:VEVENT"); answer.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: status %d with %d events, want %d", path, answer.StatusCode, got, want)
		}
	}
	for path, want := range map[string]int{
		"/ambassadors/draft-one/feed.xml": 404, "/ambassadors/draft-one/events.ics": 404, "/groups/gone/feed.xml": 410, "/groups/gone/events.ics": 410, "/groups/x/feed.atom": 404,
	} {
		if got := w.get("", path).StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	first := w.get("", "/groups/nairobi/feed.xml")
	again := httptest.NewRequest(http.MethodGet, "/groups/nairobi/feed.xml", http.NoBody)
	again.Header.Set("If-None-Match", first.Header.Get("ETag"))
	if got := w.do(again, "").StatusCode; got != http.StatusNotModified {
		t.Errorf("an unchanged feed: status %d, want 304", got)
	}
}

var ldScript = regexp.MustCompile(`<script type="application/ld\+json">(.*?)</script>`)

func TestStructuredDataDescribesPeopleGroupsAndTheSite(t *testing.T) {
	w := newPeopleWorld(t)
	read := func(path string) (all []map[string]any) {
		t.Helper()
		for _, script := range ldScript.FindAllSubmatch(w.get("", path).body, -1) {
			var object map[string]any
			if err := json.Unmarshal(script[1], &object); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			all = append(all, object)
		}
		return all
	}
	person := read("/ambassadors/helen-beal")
	if len(person) != 1 || person[0]["@type"] != "Person" || person[0]["jobTitle"] != "Coach" || person[0]["url"] != "http://community.example.org/ambassadors/helen-beal" {
		t.Errorf("a profile is %v", person)
	}
	if same := fmt.Sprint(person[0]["sameAs"]); same != "[https://example.org/h https://twitter.com/helen]" {
		t.Errorf("the same as %s", same)
	}
	group := read("/groups/nairobi")
	if len(group) != 1 || group[0]["@type"] != "Organization" || !strings.Contains(fmt.Sprint(group[0]["location"]), "latitude:-1.29") {
		t.Errorf("a group is %v", group)
	}
	var types []string
	for _, object := range read("/") {
		types = append(types, fmt.Sprint(object["@type"]))
	}
	if strings.Join(types, " ") != "Organization WebSite" {
		t.Errorf("the home page is %v", types)
	}
}

func TestPinsStandWhereTheMapIs(t *testing.T) {
	w := newPeopleWorld(t)
	x, y := artwork.Project(-1.29, 36.82)
	want := fmt.Sprintf("%.1f %.1f", x, y)
	for path, selector := range map[string]string{
		"/groups":                           "#pin-nairobi circle",
		"/groups?region=africa-middle-east": "#pin-nairobi circle",
		"/groups/nairobi":                   ".map-inset .dot",
		"/":                                 `.map-panel a[href="/groups/nairobi"] circle`,
	} {
		doc := w.page(w.get("", path), http.StatusOK)
		var px, py, left, top, width, height float64
		if _, err := fmt.Sscan(doc.Attr(selector, "cx")+" "+doc.Attr(selector, "cy"), &px, &py); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got := fmt.Sprintf("%.1f %.1f", px, py); got != want {
			t.Errorf("%s: the pin stands at %s, want %s", path, got, want)
		}
		if _, err := fmt.Sscan(doc.Attr(".map svg", "viewBox"), &left, &top, &width, &height); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if px < left || px > left+width || py < top || py > top+height || left < 0 || top < 0 || left+width > artwork.WorldWidth || top+height > artwork.WorldHeight {
			t.Errorf("%s: the view %v %v %v %v does not hold the pin, or more than the world", path, left, top, width, height)
		}
	}
}

func TestMethodsOnPlainPagesAndNothing(t *testing.T) {
	w := newPeopleWorld(t)
	if got := w.post("", "/nothing").StatusCode; got != http.StatusNotFound {
		t.Errorf("posting to nothing: %d", got)
	}
	if got := w.get("", "/logout"); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != http.MethodPost {
		t.Errorf("opening what is only posted to: %d, allowed %q", got.StatusCode, got.Header.Get("Allow"))
	}
	head := w.do(httptest.NewRequest(http.MethodHead, "/about", http.NoBody), "")
	if head.StatusCode != http.StatusOK || len(head.body) != 0 {
		t.Errorf("the head of a page: %d with %d bytes", head.StatusCode, len(head.body))
	}
}

func TestListsCostTheSameForFewAndMany(t *testing.T) {
	w := newPeopleWorld(t)
	var queries atomic.Int64
	count := func(*gorm.DB) { queries.Add(1) }
	callbacks := w.db.Reader.Callback()
	for _, register := range []error{callbacks.Query().Before("gorm:query").Register("test:query", count), callbacks.Row().Before("gorm:row").Register("test:row", count)} {
		if register != nil {
			t.Fatal(register)
		}
	}
	cost := func(path string) int64 {
		t.Helper()
		w.noticed() // what pages share is read by each of them
		queries.Store(0)
		w.page(w.get("", path), http.StatusOK)
		return queries.Load()
	}
	paths := []string{"/", "/groups", "/ambassadors", "/groups/nairobi", "/ambassadors/helen-beal", "/ambassadors/cohorts/first", "/projects/tekton"}
	before := map[string]int64{}
	for _, path := range paths {
		before[path] = cost(path)
	}
	for i := range int64(40) {
		slug := fmt.Sprintf("more-%d", i)
		cohort, at := int64(1), w.store.Now()
		for _, row := range []any{
			newTestGroup(200+i, slug, "City "+slug, "FR", 40+float64(i)/4, float64(i)/4, models.GroupListed),
			newTestEvent(200+i, 11, slug, "Event "+slug, at.Add(time.Duration(i+1)*time.Hour)),
			&models.Ambassador{ID: 200 + i, Slug: slug, CohortID: &cohort, Status: models.AmbassadorPublished, Name: "Person " + slug, Version: 1, CreatedAt: at, UpdatedAt: at},
			&models.EventAmbassador{EventID: 200 + i, AmbassadorID: 101},
		} {
			if err := w.db.Writer.Create(row).Error; err != nil {
				t.Fatal(err)
			}
		}
	}
	w.noticed()
	for _, path := range paths {
		if after := cost(path); after != before[path] || after == 0 {
			t.Errorf("%s: %d queries for few rows, %d for many", path, before[path], after)
		}
	}
}

func TestLongListsOfGroupsAndAmbassadorsHavePages(t *testing.T) {
	w := newPeopleWorld(t)
	for i := range int64(120) {
		slug, at := fmt.Sprintf("more-%d", i), w.store.Now()
		lyon := newTestGroup(200+i, slug, "Lyon", "FR", 45.76+float64(i%2)/50, 4.83, models.GroupListed)
		someone := &models.Ambassador{ID: 200 + i, Slug: slug, Status: models.AmbassadorPublished, Name: "Person " + slug, Country: "FR", Version: 1, CreatedAt: at, UpdatedAt: at}
		for _, row := range []any{lyon, someone, newTestEvent(200+i, 200+i, slug, "Event "+slug, at.Add(time.Hour))} {
			if err := w.db.Writer.Create(row).Error; err != nil {
				t.Fatal(err)
			}
		}
	}
	w.noticed()
	for _, tt := range []struct {
		path       string
		row        string
		rows       int
		first, has string
		status     int
	}{
		{"/groups", ".group-row", 24, "", `.pager a[rel=next][href="/groups?page=2"]`, 200},
		{"/groups?page=6", ".group-row", 3, "", `.pager a[rel=prev][href="/groups?page=5"]`, 200},
		{"/groups?page=7", "", 0, "", "", 404},
		{"/groups?q=nairobi", ".group-row", 1, "CD Nairobi", `.map a[href="/groups/nairobi"]`, 200},
		{"/groups?country=FR&page=5", ".group-row", 24, "CD Lyon", `.pager a[href="/groups?country=FR&page=4"]`, 200},
		{"/groups?near=-1.3,36.8", ".group-row", 24, "CD Nairobi", `.map a[href^="/groups?near=45.7"][aria-label="120 groups in Lyon, France"]`, 200},
		{"/groups?near=north", "", 0, "", "", 404},
		{"/ambassadors", "#people li", 24, "", `.pager a[href="/ambassadors?page=2"]`, 200},
		{"/ambassadors?q=helen", "#people li", 1, "", `#people a[href="/ambassadors/helen-beal"]`, 200},
		{"/ambassadors?country=FR&page=5", "#people li", 24, "", `.pager a[href="/ambassadors?country=FR&page=4"]`, 200},
		{"/events", "", 0, "", `select[name=country], .filters`, 200},
		{"/events?group=more-7", ".event-row", 1, "", `option[value="more-7"][selected]`, 200},
	} {
		doc := w.page(w.get("", tt.path), tt.status)
		if n := doc.Count(tt.row + ":not([hidden])"); tt.row != "" && n != tt.rows {
			t.Errorf("%s shows %d rows, want %d", tt.path, n, tt.rows)
		}
		if tt.has != "" && !doc.Has(tt.has) {
			t.Errorf("%s has no %s", tt.path, tt.has)
		}
		if doc.Has("form[data-filter]") {
			t.Errorf("%s lets the browser narrow what it does not have", tt.path)
		}
		if got := doc.Text(".group-row h2"); tt.first != "" && !strings.HasPrefix(got, tt.first) {
			t.Errorf("%s begins with %q, want %q", tt.path, got, tt.first)
		}
	}
	if doc := w.page(w.get("", "/events"), http.StatusOK); doc.Has("select[name=group]") {
		t.Error("121 groups are offered to choose from")
	}
}

func TestPagesOfPeopleAreValidHTML(t *testing.T) {
	w := newPeopleWorld(t)
	pages := map[string][]byte{}
	for _, path := range []string{
		"/", "/groups", "/groups?region=europe&q=nobody", "/groups/nairobi", "/groups/tokyo", "/ambassadors", "/ambassadors/helen-beal", "/ambassadors/eduardo",
		"/ambassadors/cohorts/first", "/ambassadors/apply", "/about", "/projects/tekton",
	} {
		answer := w.get("", path)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
		pages[path] = answer.body
	}
	testkit.CheckHTML(t, pages)
}
