package models_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// article is a public post of a test, published some days before the clock's start.
func article(slug, title, text string, daysAgo int) models.Post {
	at := testkit.Start.AddDate(0, 0, -daysAgo)
	return models.Post{
		UUID: "uuid-" + slug, Slug: slug, Status: models.PostPublished, PublishAt: &at, Title: title, PlainText: text, Language: "en", Licence: "CC-BY-4.0",
		Contents: []markdown.Heading{}, Version: 1, CreatedAt: at, UpdatedAt: at,
	}
}

// indexed writes rows and makes the index anew.
func indexed(tb testing.TB, store *models.Store, rows ...any) {
	tb.Helper()
	for _, row := range rows {
		if err := testkit.DB(tb, store).Create(row).Error; err != nil {
			tb.Fatal(err)
		}
	}
	if err := store.Reindex(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// found lists the slugs of what a query finds, in the order of the results.
func found(tb testing.TB, store *models.Store, query string) []string {
	tb.Helper()
	results, err := store.Search(tb.Context(), models.SearchFilter{Query: query, Limit: 100})
	if err != nil {
		tb.Fatalf("searching %q: %v", query, err)
	}
	slugs := []string{}
	for _, kind := range results.Kinds {
		for _, r := range kind.Results {
			slugs = append(slugs, r.Slug)
		}
	}
	return slugs
}

func TestWordsAreFoundHoweverTheyAreSpelt(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		posts := []models.Post{
			article("tekton", "Tekton in the cloud", "A pipeline for CI/CD that reads well.", 1),
			article("krakow", "Zażółć w Krakowie: Łódź i Kraków", "Straße, Ærø, naïve café.", 2),
			article("china", "第二届持续交付线上沙龙", "持续集成与持续部署是云原生的基础，Jenkins中文社区。", 3),
			article("japan", "はじめてのパイプライン", "データを流す", 4),
			article("languages", "C++, C# and Go", "What builds what. It's Jenkins’s turn; release 1.24.3.", 5),
			article("russia", "Непрерывная поставка", "Ёлка и ещё", 6),
		}
		indexed(t, store, &posts)
		for _, tt := range []struct {
			query string
			want  []string
		}{
			{"tekton", []string{"tekton"}},
			{"TEKTON", []string{"tekton"}},
			{"tek", []string{"tekton"}},
			{"cloud tek", []string{"tekton"}},
			{"tek cloud", []string{}}, // only the last word may be unfinished
			{"tekton cloud missing", []string{}},
			{"ci/cd", []string{"tekton"}},
			{"CI-CD", []string{"tekton"}},
			{"ci cd", []string{"tekton"}},
			{"cd/ci", []string{}}, // in a row, in this order
			{`"reads well"`, []string{"tekton"}},
			{`"well reads"`, []string{}},
			{`"reads wel"`, []string{}},
			{"krakow", []string{"krakow"}},
			{"KRAKÓW", []string{"krakow"}},
			{"lodz", []string{"krakow"}},
			{"strasse", []string{"krakow"}},
			{"aero", []string{"krakow"}},
			{"cafe\u0301", []string{"krakow"}},
			{"ＮＡＩＶＥ", []string{"krakow"}},
			{"持续", []string{"china"}},
			{"持续交付", []string{"china"}},
			{"续交", []string{"china"}},
			{"付", []string{"china"}},
			{"龙", []string{"china"}}, // the last character of a run
			{"交续", []string{}},
			{"Jenkins中文", []string{"china"}},
			{"Jenkins 中文", []string{"china"}},
			{"中文社区", []string{"china"}},
			{"データ", []string{"japan"}},
			{"ﾃﾞｰﾀ", []string{"japan"}},
			{"パイプ", []string{"japan"}},
			{"c++", []string{"languages"}},
			{"C#", []string{"languages"}},
			{"1.24", []string{"languages"}},
			{"jenkins", []string{"china", "languages"}},
			{"НЕПРЕРЫВНАЯ", []string{"russia"}},
			{"елка", []string{"russia"}},
		} {
			if got := found(t, store, tt.query); !slices.Equal(got, tt.want) {
				t.Errorf("%q finds %q, want %q", tt.query, got, tt.want)
			}
		}
	})
}

func TestTitlesCountMoreThanTextAndThenTheNewest(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		posts := []models.Post{
			article("old-title", "Spinnaker from the start", "Deploy.", 900),
			article("new-text", "Deploying well", "With Spinnaker, Spinnaker and Spinnaker.", 1),
			article("tagged", "Deploying better", "Roll out.", 500),
			article("old-text", "Deploying", "Spinnaker once.", 800),
			article("new-title", "The Spinnaker year", "Deploy.", 10),
			article("other", "Jenkins", "Build.", 3),
		}
		indexed(t, store, &posts, &models.Tag{ID: 1, Slug: "spinnaker", Name: "spinnaker"}, &models.PostTag{PostID: 3, TagID: 1, Position: 1})
		want := []string{"new-title", "old-title", "tagged", "new-text", "old-text"}
		if got := found(t, store, "spinnaker"); !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	})
}

func TestAnOldTitleIsFoundBehindHundredsOfNewerTexts(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		posts := []models.Post{article("the-one", "Screwdriver", "x", 4000)}
		for i := range 250 {
			posts = append(posts, article(fmt.Sprintf("post-%d", i), "Post", "Mentions Screwdriver.", i))
		}
		indexed(t, store, &posts)
		results, err := store.Search(t.Context(), models.SearchFilter{Query: "screwdriver", Limit: 20})
		if err != nil {
			t.Fatal(err)
		}
		kind := results.Kinds[0]
		if first := kind.Results[0].Slug; first != "the-one" {
			t.Errorf("first is %q", first)
		}
		if second := kind.Results[1].Slug; second != "post-0" {
			t.Errorf("second is %q, want the newest", second)
		}
		if kind.Count != 200 || !kind.More || len(kind.Results) != 20 {
			t.Errorf("count %d, more %t, %d results; want 200, true, 20", kind.Count, kind.More, len(kind.Results))
		}
		next, err := store.Search(t.Context(), models.SearchFilter{Query: "screwdriver", Kind: models.SearchPost, Limit: 20, Offset: 20})
		if err != nil {
			t.Fatal(err)
		}
		if got := next.Kinds[0].Results[0].Slug; got != "post-19" {
			t.Errorf("the second page begins with %q, want post-19", got)
		}
	})
}

func TestOnlyWhatIsPublicIsFound(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, now *clock.Fake) {
		hidden := []models.Post{}
		for i, status := range []models.PostStatus{models.PostDraft, models.PostSubmitted, models.PostChangesAsked, models.PostDeclined, models.PostWithdrawn} {
			post := article(fmt.Sprint("hidden-", i), "Quokka", "Quokka.", 1)
			post.Status = status
			hidden = append(hidden, post)
		}
		at, end := testkit.Start.Add(time.Hour), testkit.Start.Add(2*time.Hour)
		scheduled := article("scheduled", "Quokka tomorrow", "Quokka.", 1)
		scheduled.PublishAt, scheduled.ExpireAt = &at, &end
		event := models.Event{
			UID: "a", Status: models.EventDraft, Kind: models.KindMeetup, Mode: models.ModeOnline, Title: "Quokka evening", Timezone: "UTC",
			StartsLocal: "2026-12-01T18:00", EndsLocal: "2026-12-01T20:00", StartsAt: at, EndsAt: end, DatePrecision: models.PrecisionMinute,
			Registration: models.RegistrationPortal, Choose: models.ChooseOne, Hosts: []string{}, Links: []models.Link{}, Version: 1, OnlineLink: "https://meet.example.org/wombat",
		}
		draft, public, cancelled := event, event, event
		draft.Slug = "draft-event"
		public.Slug, public.UID, public.Status = "public-event", "b", models.EventPublished
		cancelled.Slug, cancelled.UID, cancelled.Status = "cancelled-event", "c", models.EventCancelled
		indexed(t, store, &hidden, &scheduled, &draft, &public, &cancelled,
			&models.Ambassador{Slug: "draft-person", Status: models.AmbassadorDraft, Name: "Quokka Smith", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, Version: 1},
			&models.Ambassador{Slug: "person", Status: models.AmbassadorPublished, Name: "Quokka Jones", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, Version: 1},
			&models.Group{Slug: "delisted", Status: models.GroupDelisted, Name: "Quokka delisted", City: "Perth", Country: "AU", Timezone: "Australia/Perth", Topics: []string{}, Links: []models.Link{}, Version: 1},
			&models.Group{Slug: "group", Status: models.GroupListed, Name: "Quokka group", City: "Perth", Country: "AU", Timezone: "Australia/Perth", Topics: []string{}, Links: []models.Link{}, Version: 1},
			&models.Page{Path: "projects/quokka", Title: "Quokka", Contents: []markdown.Heading{}},
		)
		always := []string{"cancelled-event", "group", "person", "projects/quokka", "public-event"}
		for _, tt := range []struct {
			name string
			at   time.Time
			want []string
		}{
			{"a second before", at.Add(-time.Second), always},
			{"at its time", at, append(slices.Clone(always), "scheduled")},
			{"a second before its end", end.Add(-time.Second), append(slices.Clone(always), "scheduled")},
			{"at its end", end, always},
		} {
			now.Set(tt.at)
			got := found(t, store, "quokka")
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: found %q, want %q", tt.name, got, tt.want)
			}
		}
		if got := found(t, store, "wombat"); len(got) > 0 {
			t.Errorf("the address for registered people is found in %q", got)
		}
		if got := found(t, store, "australia"); !slices.Equal(got, []string{"group"}) {
			t.Errorf("the country finds %q", got)
		}
	})
}

func TestKindsWithATitleThatFitsComeFirst(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		post := article("post", "A year of meetups", "With Helen Beal.", 1)
		indexed(t, store, &post, &models.Ambassador{Slug: "helen-beal", Status: models.AmbassadorPublished, Name: "Helen Beal", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, Version: 1})
		if got, want := found(t, store, "helen beal"), []string{"helen-beal", "post"}; !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	})
}

func TestNothingThatPeopleTypeIsAnError(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		post := article("post", "It's a \"pipeline\"", "Near the end, not or and.", 1)
		indexed(t, store, &post)
		for _, query := range []string{
			"", " ", "*", `"`, `""`, `"""`, `"pipeline`, `pipeline"`, "'", "''", "' OR 1=1 --", "NEAR", "NOT", "OR", "AND", "a AND", "NEAR/2", "title:x", "head:pipeline",
			"(", ")", "((((", "pipeline)", "-", "--", "-pipeline", "+", "^pipeline", "pipe*line", "*pipe", "a:b:c", ":*", "'x':*", "<->", "!", "!pipeline", "& |", `\`, `\'`,
			"\x00", "pipe\x00line", "\xff\xfe", "%", "_", "?", "$1", "@name", ";", "{}", "[]", "<script>", "\u202e", "\u0301", "🦘", "½", "ﷺ", "c++++", "c##", "+++", "ー", "a\tb\nc",
			strings.Repeat("a", 100_000), strings.Repeat("a ", 10_000), strings.Repeat(`"a" `, 1000), strings.Repeat("持", 5000), strings.Repeat("a/", 500), strings.Repeat("(", 2000),
		} {
			found(t, store, query)
		}
		if got := found(t, store, `"pipeline`); !slices.Equal(got, []string{"post"}) {
			t.Errorf("a quote that is not closed finds %q", got)
		}
		if got := found(t, store, "near the end"); !slices.Equal(got, []string{"post"}) {
			t.Errorf("words that are operators elsewhere find %q", got)
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"tekton", `"a b" c*`, "持续交付", "c++ OR (", "\x00\xff", "ée\u0301"} {
		f.Add(seed)
	}
	store := testkit.SQLite(f, testkit.Clock())
	post := article("post", "Tekton c++ 持续交付", "Some text with a few words in it.", 1)
	indexed(f, store, &post)
	f.Fuzz(func(t *testing.T, query string) {
		results, err := store.Search(t.Context(), models.SearchFilter{Query: query, Limit: 10})
		if err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		for _, kind := range results.Kinds {
			for _, r := range kind.Results {
				if got := joined(r.Title); got != post.Title {
					t.Errorf("%q turns the title into %q", query, got)
				}
			}
		}
	})
}

func joined(segments []models.Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

func marks(segments []models.Segment) []string {
	var marks []string
	for _, s := range segments {
		if s.Match {
			marks = append(marks, s.Text)
		}
	}
	return marks
}

func TestExcerptsShowWhatWasLookedForAsItWasWritten(t *testing.T) {
	store := testkit.SQLite(t, testkit.Clock())
	filler := strings.Repeat("Nothing of note stands here. ", 60)
	posts := []models.Post{
		article("long", "Fish & <b>chips</b>", filler+"At last the Kräkow <em>pipelines</em> meet CI/CD at noon. "+filler, 1),
		article("chinese", "沙龙", strings.Repeat("这里没有什么。", 60)+"我们谈持续交付。"+strings.Repeat("这里没有什么。", 60), 2),
		article("elsewhere", "Wombat", filler, 3),
	}
	indexed(t, store, &posts)
	for _, tt := range []struct {
		query       string
		title, text []string
	}{
		{"krakow pipeline", nil, []string{"Kräkow", "pipelines"}},
		{"ci/cd", nil, []string{"CI/CD"}},
		{"持续", nil, []string{"持续"}},
		{"chips fis", []string{"Fish", "chips"}, nil},
		{"wombat", []string{"Wombat"}, nil},
	} {
		results, err := store.Search(t.Context(), models.SearchFilter{Query: tt.query, Limit: 5})
		if err != nil || results.Total != 1 {
			t.Fatalf("%q finds %d: %v", tt.query, results.Total, err)
		}
		r := results.Kinds[0].Results[0]
		if got := marks(r.Title); !slices.Equal(got, tt.title) {
			t.Errorf("%q marks %q in the title, want %q", tt.query, got, tt.title)
		}
		if got := marks(r.Excerpt); !slices.Equal(got, tt.text) {
			t.Errorf("%q marks %q in the text, want %q", tt.query, got, tt.text)
		}
		excerpt := joined(r.Excerpt)
		post := posts[slices.IndexFunc(posts, func(p models.Post) bool { return p.Slug == r.Slug })]
		if inner := strings.TrimSuffix(strings.TrimPrefix(excerpt, "… "), " …"); !strings.Contains(post.PlainText, inner) || len(excerpt) > 260 {
			t.Errorf("%q: %q is no short part of the text", tt.query, excerpt)
		}
		if joined(r.Title) != post.Title {
			t.Errorf("%q: the title became %q", tt.query, joined(r.Title))
		}
	}
}

func TestSearchingAnythingReadsAnyText(t *testing.T) {
	// Letters that folding makes longer or shorter, marks without a letter, halves of pairs: wherever an excerpt is cut,
	// its segments must join to a part of the text.
	alphabet := []rune("aß İıﬁ½持ー가กำे\u0301\u200d🦘#+ .\"Ⅷ")
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	store := testkit.SQLite(t, testkit.Clock())
	posts := make([]models.Post, 60)
	for i := range posts {
		posts[i] = article(fmt.Sprint("post-", i), "T "+text(20), text(400), i)
	}
	indexed(t, store, &posts)
	for range 200 {
		found(t, store, text(1+random.IntN(4)))
	}
}

func TestPopularTagsAreThoseOfMostPublicPosts(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, store *models.Store, _ *clock.Fake) {
		posts := []models.Post{article("a", "A", "", 1), article("b", "B", "", 2), article("c", "C", "", -1)}
		indexed(t, store, &posts, &[]models.Tag{{ID: 1, Slug: "tekton", Name: "tekton"}, {ID: 2, Slug: "gitops", Name: "gitops"}, {ID: 3, Slug: "later", Name: "later"}},
			&[]models.PostTag{{PostID: 1, TagID: 2}, {PostID: 2, TagID: 2}, {PostID: 2, TagID: 1}, {PostID: 3, TagID: 3}})
		tags, err := store.PopularTags(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, tag := range tags {
			names = append(names, tag.Name)
		}
		if want := []string{"gitops", "tekton"}; !slices.Equal(names, want) {
			t.Errorf("tags %q, want %q", names, want)
		}
	})
}

// BenchmarkSearch asks an index of 20,000 posts for words that all, some or few of them have. It reports the slowest of
// each hundred.
func BenchmarkSearch(b *testing.B) {
	words := strings.Fields("the pipeline build deploy cloud native release tekton jenkins spinnaker cluster team review trunk branch merge artefact test canary rollback")
	random := rand.New(rand.NewPCG(1, 2))
	posts := make([]models.Post, 20_000)
	for i := range posts {
		var text strings.Builder
		text.WriteString("the cloud ")
		for range 300 {
			// Few words are common and most are rare, as in real texts.
			n := int(random.ExpFloat64() * 400)
			if n < len(words) {
				text.WriteString(words[n] + " ")
			} else {
				fmt.Fprintf(&text, "word%d ", n)
			}
		}
		posts[i] = article(fmt.Sprint("post-", i), fmt.Sprintf("About %s and word%d", words[i%len(words)], i%5000), text.String(), i%2000)
	}
	for _, engine := range []struct {
		name string
		url  func(testing.TB) string
	}{{"SQLite", testkit.SQLiteURL}, {"PostgreSQL", testkit.PostgresURL}} {
		db, err := database.Open(b.Context(), engine.url(b))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := db.Close(); err != nil {
				b.Error(err)
			}
		})
		store := models.NewStore(db.Reader, db.Writer, testkit.Clock().Clock(), testkit.Keys())
		if err := db.Writer.CreateInBatches(slices.Clone(posts), 500).Error; err != nil {
			b.Fatal(err)
		}
		if err := store.Reindex(b.Context()); err != nil {
			b.Fatal(err)
		}
		// PostgreSQL does it by itself after a while.
		if err := db.Writer.Exec("ANALYZE").Error; err != nil {
			b.Fatal(err)
		}
		for _, query := range []string{"the", "the cloud", "wo", "word", "tekton", "w", "wor", "word123", "tekton pipeline dep", "\"the cloud\"", "nothing"} {
			b.Run(engine.name+"/"+query, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					if _, err := store.Search(b.Context(), models.SearchFilter{Query: query, Limit: 5}); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			})
		}
	}
}
