package models_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// neighbourhood is a database with a few people and groups.
type neighbourhood struct {
	*models.Store
	clock *clock.Fake
	put   func(rows ...any)
}

func onEachNeighbourhood(t *testing.T, test func(t *testing.T, n neighbourhood)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		n := neighbourhood{Store: store, clock: now, put: func(rows ...any) {
			t.Helper()
			for _, row := range rows {
				if err := testkit.DB(t, store).Create(row).Error; err != nil {
					t.Fatal(err)
				}
			}
		}}
		n.put(
			&models.Cohort{ID: 1, Slug: "first", Title: "First cohort", WelcomedOn: "2020-05-01", Size: 13, UpdatedAt: noon},
			&models.User{ID: 1, Email: "olu@example.org", EmailKey: "olu@example.org", Name: "Olu", Role: models.RoleAttendee, Locale: "en", Timezone: "UTC", Version: 1, CreatedAt: noon, UpdatedAt: noon},
			newAmbassador(1, "zoe-berg", "Zoë Berg", models.AmbassadorPublished),
			newAmbassador(2, "oscar-diaz", "Óscar Díaz", models.AmbassadorPublished),
			newAmbassador(3, "secret-one", "Secret One", models.AmbassadorDraft),
			newGroup(1, "zurich", "Zürich", "CH", models.GroupListed),
			newGroup(2, "arhus", "Århus", "DK", models.GroupListed),
			newGroup(3, "gone", "Gone", "DE", models.GroupDelisted),
		)
		test(t, n)
	})
}

func newAmbassador(id int64, slug, name string, status models.AmbassadorStatus) *models.Ambassador {
	cohort := int64(1)
	return &models.Ambassador{
		ID: id, Slug: slug, CohortID: &cohort, Status: status, Name: name, Country: "ES", Languages: []string{"es", "en"},
		Topics: []string{"Value streams", "GitOps"}, Links: []models.Link{}, Version: 1, CreatedAt: noon, UpdatedAt: noon,
	}
}

func newGroup(id int64, slug, city, country string, status models.GroupStatus) *models.Group {
	return &models.Group{
		ID: id, Slug: slug, Status: status, Name: "CD " + city, City: city, Country: country, Latitude: 47.4, Longitude: 8.5, Timezone: "Europe/Zurich",
		Language: "en", Topics: []string{"Tekton"}, Links: []models.Link{}, Version: 1, CreatedAt: noon, UpdatedAt: noon,
	}
}

func newGroupEvent(id, group int64, slug string, status models.EventStatus, starts time.Time) *models.Event {
	return &models.Event{
		ID: id, Slug: slug, UID: slug + "@example.org", GroupID: &group, Status: status, Kind: models.KindMeetup, Mode: models.ModeInPerson, Title: slug,
		Language: "en", TextLanguage: "en", Timezone: "Europe/Zurich", StartsLocal: starts.Format(models.LocalLayout), EndsLocal: starts.Format(models.LocalLayout),
		StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), DatePrecision: models.PrecisionMinute, Hosts: []string{}, Links: []models.Link{},
		Registration: models.RegistrationNone, Choose: models.ChooseOne, Version: 1, PublishedAt: &noon, CreatedAt: noon, UpdatedAt: noon,
	}
}

func TestListsShowWhatIsPublicInTheOrderOfLetters(t *testing.T) {
	onEachNeighbourhood(t, func(t *testing.T, n neighbourhood) {
		people, err := n.Ambassadors(t.Context(), models.AmbassadorFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range people {
			names = append(names, p.Name)
			if p.CohortSize != 13 || p.CohortTitle != "First cohort" || !slices.Equal(p.Languages, []string{"es", "en"}) {
				t.Errorf("%s: cohort %q of %d, languages %v", p.Name, p.CohortTitle, p.CohortSize, p.Languages)
			}
		}
		if want := []string{"Óscar Díaz", "Zoë Berg"}; !slices.Equal(names, want) {
			t.Errorf("ambassadors %v, want %v", names, want)
		}
		groups, err := n.Groups(t.Context(), models.GroupFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var cities []string
		for _, g := range groups {
			cities = append(cities, g.City)
		}
		if want := []string{"Århus", "Zürich"}; !slices.Equal(cities, want) {
			t.Errorf("groups %v, want %v", cities, want)
		}
	})
}

func TestAGroupNamesTheEventThatIsOnOrComesNext(t *testing.T) {
	onEachNeighbourhood(t, func(t *testing.T, n neighbourhood) {
		n.put(
			newGroupEvent(1, 1, "over", models.EventPublished, noon.Add(-48*time.Hour)),
			newGroupEvent(2, 1, "later", models.EventPublished, noon.Add(72*time.Hour)),
			newGroupEvent(3, 1, "draft", models.EventDraft, noon.Add(time.Hour)),
			newGroupEvent(4, 1, "cancelled", models.EventCancelled, noon.Add(2*time.Hour)),
			newGroupEvent(5, 1, "next", models.EventPublished, noon.Add(24*time.Hour)),
		)
		next := func() string {
			t.Helper()
			groups, err := n.Groups(t.Context(), models.GroupFilter{})
			if err != nil {
				t.Fatal(err)
			}
			if groups[0].NextSlug != "" {
				t.Errorf("%s has the event %q", groups[0].City, groups[0].NextSlug)
			}
			if groups[1].NextStartsAt == nil {
				return groups[1].NextSlug
			}
			return groups[1].NextSlug + " " + groups[1].NextStartsAt.UTC().Format(time.DateOnly)
		}
		if got := next(); got != "next 2026-11-22" {
			t.Errorf("next is %q", got)
		}
		n.clock.Advance(25 * time.Hour)
		if got := next(); got != "next 2026-11-22" {
			t.Errorf("an hour into it, next is %q", got)
		}
		n.clock.Advance(time.Hour)
		if got := next(); got != "later 2026-11-24" {
			t.Errorf("after it, next is %q", got)
		}
		n.clock.Advance(1000 * time.Hour)
		if got := next(); got != "" {
			t.Errorf("in the end, next is %q", got)
		}
	})
}

func TestWhoHasADraftOrADelistedPageIsNotFound(t *testing.T) {
	onEachNeighbourhood(t, func(t *testing.T, n neighbourhood) {
		n.put(
			&models.SlugHistory{Kind: "ambassador", Slug: "zoe", ObjectID: 1, CreatedAt: noon},
			&models.SlugHistory{Kind: "ambassador", Slug: "secret", ObjectID: 3, CreatedAt: noon},
			&models.SlugHistory{Kind: "group", Slug: "zuerich", ObjectID: 1, CreatedAt: noon},
			&models.SlugHistory{Kind: "group", Slug: "gone-before", ObjectID: 3, CreatedAt: noon},
		)
		for _, tt := range []struct {
			kind, slug string
			want       error
			moved      string
		}{
			{"ambassador", "zoe-berg", nil, ""},
			{"ambassador", "zoe", models.ErrNotFound, "zoe-berg"},
			{"ambassador", "secret-one", models.ErrNotFound, ""},
			{"ambassador", "secret", models.ErrNotFound, ""},
			{"ambassador", "nobody", models.ErrNotFound, ""},
			{"group", "zurich", nil, ""},
			{"group", "zuerich", models.ErrNotFound, "zurich"},
			{"group", "gone", models.ErrGone, ""},
			{"group", "gone-before", models.ErrNotFound, ""},
			{"group", "nowhere", models.ErrNotFound, ""},
		} {
			var err error
			if tt.kind == "group" {
				_, err = n.GroupBySlug(t.Context(), tt.slug)
			} else {
				_, err = n.AmbassadorBySlug(t.Context(), tt.slug)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("%s %s: %v, want %v", tt.kind, tt.slug, err, tt.want)
			}
			moved, ok := errors.AsType[*models.MovedError](err)
			if ok != (tt.moved != "") || ok && moved.Slug != tt.moved {
				t.Errorf("%s %s: %v, want a move to %q", tt.kind, tt.slug, err, tt.moved)
			}
		}
	})
}

func TestOrganisersArePeopleWithTheirPublicProfiles(t *testing.T) {
	onEachNeighbourhood(t, func(t *testing.T, n neighbourhood) {
		user, zoe, secret := int64(1), int64(1), int64(3)
		n.put(
			&models.GroupOrganiser{ID: 1, GroupID: 1, UserID: &user, CreatedAt: noon},
			&models.GroupOrganiser{ID: 2, GroupID: 1, AmbassadorID: &zoe, CreatedAt: noon},
			&models.GroupOrganiser{ID: 3, GroupID: 1, AmbassadorID: &secret, CreatedAt: noon},
		)
		names := func() (got []string) {
			t.Helper()
			organisers, err := n.Organisers(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range organisers {
				got = append(got, o.Name+" "+o.AmbassadorSlug)
			}
			return got
		}
		if got, want := names(), []string{"Olu ", "Zoë Berg zoe-berg"}; !slices.Equal(got, want) {
			t.Errorf("organisers %q, want %q", got, want)
		}
		groups, err := n.Groups(t.Context(), models.GroupFilter{AmbassadorID: zoe})
		if err != nil || len(groups) != 1 || groups[0].Slug != "zurich" {
			t.Errorf("the ambassador's groups: %v, %v", groups, err)
		}
		// The account turns out to be the ambassador's.
		if err := testkit.DB(t, n.Store).Exec("UPDATE ambassadors SET user_id = 1 WHERE id = 1").Error; err != nil {
			t.Fatal(err)
		}
		if got, want := names(), []string{"Zoë Berg zoe-berg"}; !slices.Equal(got, want) {
			t.Errorf("organisers %q, want %q", got, want)
		}
	})
}

func TestSiblingsArePagesOfTheSameFolder(t *testing.T) {
	onEachNeighbourhood(t, func(t *testing.T, n neighbourhood) {
		for i, path := range []string{"about", "goals", "projects/tekton", "projects/jenkins", "ambassadors/apply"} {
			n.put(&models.Page{Path: path, Title: path, Position: 10 - i, Contents: []markdown.Heading{}, UpdatedAt: noon})
		}
		for path, want := range map[string]string{"about": "goals about", "projects/jenkins": "projects/jenkins projects/tekton"} {
			rows, err := n.Siblings(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				got = append(got, row.Path)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("siblings of %s: %v, want %s", path, got, want)
			}
		}
	})
}

func TestSearchesNarrowLists(t *testing.T) {
	group := models.GroupRow{Name: "Lieferkette", City: "Zürich", Country: "CH", Topics: []string{"Supply chain"}}
	for _, tt := range []struct {
		name   string
		search models.GroupSearch
		fits   bool
	}{
		{"nothing asked", models.GroupSearch{}, true},
		{"a city without its marks", models.GroupSearch{Text: "zurich"}, true},
		{"words in any order", models.GroupSearch{Text: "switzerland LIEFER"}, true},
		{"one word that is missing", models.GroupSearch{Text: "zurich berlin"}, false},
		{"the country", models.GroupSearch{Country: "CH"}, true},
		{"another country", models.GroupSearch{Country: "DE"}, false},
		{"no country at all", models.GroupSearch{Country: "'; DROP TABLE groups"}, false},
		{"a topic by its slug", models.GroupSearch{Topic: "supply-chain"}, true},
		{"a topic that is not its", models.GroupSearch{Topic: "supply"}, false},
		{"the region", models.GroupSearch{Region: models.RegionEurope}, true},
		{"another region", models.GroupSearch{Region: models.RegionAmericas}, false},
		{"a region that is none", models.GroupSearch{Region: "atlantis"}, false},
	} {
		if got := tt.search.Matches(group); got != tt.fits {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.fits)
		}
	}
	person := models.AmbassadorRow{Name: "Óscar Díaz", Title: "Coach", Country: "CO", Languages: []string{"es"}, Topics: []string{"GitOps"}}
	for _, tt := range []struct {
		name   string
		search models.AmbassadorSearch
		fits   bool
	}{
		{"a name without its marks", models.AmbassadorSearch{Text: "oscar diaz"}, true},
		{"the country's name", models.AmbassadorSearch{Text: "colombia"}, true},
		{"the language", models.AmbassadorSearch{Language: "es"}, true},
		{"another language", models.AmbassadorSearch{Language: "en"}, false},
		{"all at once", models.AmbassadorSearch{Text: "coach", Country: "CO", Language: "es", Topic: "gitops"}, true},
		{"all but one", models.AmbassadorSearch{Text: "coach", Country: "CO", Language: "es", Topic: "git"}, false},
	} {
		if got := tt.search.Matches(person); got != tt.fits {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.fits)
		}
	}
}

func TestEveryCountryHasOneRegion(t *testing.T) {
	seen := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region := models.RegionOf(code)
			if region != "" {
				seen++
				if models.CountryName(code) == "" || models.CountryName(code) == code {
					t.Errorf("%s stands in %s and is no country", code, region)
				}
			}
		}
	}
	// ISO 3166-1 has 249 codes; Antarctica stands in no region.
	if seen != 248 {
		t.Errorf("%d countries have a region, want 248", seen)
	}
	for code, want := range map[string]models.Region{
		"CA": models.RegionAmericas, "BR": models.RegionAmericas, "DE": models.RegionEurope, "RU": models.RegionEurope, "TR": models.RegionAfricaMiddleEast,
		"KE": models.RegionAfricaMiddleEast, "IN": models.RegionAsiaPacific, "NZ": models.RegionAsiaPacific, "AQ": "", "XX": "",
	} {
		if got := models.RegionOf(code); got != want {
			t.Errorf("%s is in %q, want %q", code, got, want)
		}
	}
}
