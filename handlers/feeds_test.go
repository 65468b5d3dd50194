package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

func TestTheFeedsOfAListCarryTheWholePostsInEveryFormat(t *testing.T) {
	w := newBlogWorld(t)
	changed := testkit.Start.Add(-10 * time.Minute)
	w.publish(models.Post{
		Slug: "first", Title: "First & <foremost>", Summary: "A summary with 中文.", ChangedAt: &changed,
		HTML: `<h2 id="x">Part<a class="anchor" href="#x">#</a></h2><p>See <a href="/blog/second">this</a> and <a href="#x">that</a>.</p><pre class="chroma"><code><span class="k">go</span></code></pre>`,
	})
	w.publish(models.Post{Slug: "second", PublishAt: new(testkit.Start.Add(-24 * time.Hour)), SourceName: "Elsewhere", SourceURL: "https://other.example.org/2"})
	for name, path := range map[string]string{"blog.xml": "/feed.xml", "blog.atom": "/feed.atom", "blog.json": "/feed.json", "category.atom": "/blog/category/project/feed.atom"} {
		body := w.body(path)
		testkit.Golden(t, name, body)
		parsed, err := gofeed.NewParser().ParseString(string(body))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(parsed.Items) != 2 {
			t.Fatalf("%s has %d items", path, len(parsed.Items))
		}
		item := parsed.Items[0]
		if item.Link != "https://community.example.org/blog/first" || !strings.Contains(item.Content, `href="https://community.example.org/blog/second"`) ||
			!strings.Contains(item.Content, `href="https://community.example.org/blog/first#x"`) || strings.Contains(item.Content, "chroma") {
			t.Errorf("%s: the first item leads to %s and holds %s", path, item.Link, item.Content)
		}
		if names := authorNames(item); !slices.Equal(names, []string{"Ana Sá", "Bob"}) {
			t.Errorf("%s: the authors are %v", path, names)
		}
		if !slices.Contains(item.Categories, "Project") || !slices.Contains(item.Categories, "tekton") {
			t.Errorf("%s: the categories are %v", path, item.Categories)
		}
	}
	for _, format := range []string{"xml", "atom", "json"} {
		if string(w.body("/blog/feed."+format)) != string(w.body("/feed."+format)) {
			t.Errorf("/blog/feed.%s is another feed than /feed.%s", format, format)
		}
	}
}

// authorNames are all of an item's authors; of RSS the parser's own list holds only the first.
func authorNames(item *gofeed.Item) []string {
	if item.DublinCoreExt != nil {
		return item.DublinCoreExt.Creator
	}
	var names []string
	for _, author := range item.Authors {
		names = append(names, author.Name)
	}
	return names
}

func TestAnItemKeepsItsIDWhateverChanges(t *testing.T) {
	w := newBlogWorld(t)
	w.publish(models.Post{Slug: "post", UUID: "0b1f2c1e-7a53-4c0e-9d2b-5f7a3c9e1d10"})
	ids := func() []string {
		var all []string
		for _, path := range blogFeeds() {
			parsed, err := gofeed.NewParser().ParseString(string(w.body(path)))
			if err != nil || len(parsed.Items) != 1 {
				t.Fatalf("%s: %v", path, err)
			}
			all = append(all, parsed.Items[0].GUID, parsed.Items[0].PublishedParsed.String())
		}
		return all
	}
	before := ids()
	if before[0] != "urn:uuid:0b1f2c1e-7a53-4c0e-9d2b-5f7a3c9e1d10" {
		t.Errorf("the id is %s", before[0])
	}
	w.exec("UPDATE posts SET slug = 'other', title = 'Other', changed_at = ?", testkit.Start)
	w.exec("UPDATE bylines SET name = 'Renamed'")
	if after := ids(); !slices.Equal(before, after) {
		t.Errorf("ids and dates of publishing were %v and are %v", before, after)
	}
}

func TestFeedsAreAskedForOnlyOnce(t *testing.T) {
	w := newBlogWorld(t)
	w.publish(models.Post{Slug: "post"})
	for _, path := range []string{"/feed.xml", "/blog/tag/tekton/feed.atom", "/blog/author/ana/feed.json", "/blog/post"} {
		first, body := w.ask(http.MethodGet, path)
		tag, modified := first.Header.Get("ETag"), first.Header.Get("Last-Modified")
		if path != "/blog/post" && modified != testkit.Start.Add(-time.Hour).Format(http.TimeFormat) {
			t.Fatalf("%s was modified at %q", path, modified)
		}
		if tag == "" || len(body) == 0 {
			t.Fatalf("%s has the tag %q and %d bytes", path, tag, len(body))
		}
		earlier, later := testkit.Start.Add(-2*time.Hour).Format(http.TimeFormat), testkit.Start.Format(http.TimeFormat)
		cases := []struct {
			name   string
			header []string
			want   int
		}{
			{"no condition", nil, 200},
			{"the tag", []string{"If-None-Match", tag}, 304},
			{"the tag as strong", []string{"If-None-Match", strings.TrimPrefix(tag, "W/")}, 304},
			{"a list with the tag", []string{"If-None-Match", `"x", ` + tag + `, "y"`}, 304},
			{"a star", []string{"If-None-Match", "*"}, 304},
			{"another tag", []string{"If-None-Match", `"x"`}, 200},
			{"another tag beside a later date", []string{"If-None-Match", `"x"`, "If-Modified-Since", later}, 200},
			{"the tag beside an earlier date", []string{"If-None-Match", tag, "If-Modified-Since", earlier}, 304},
			{"a bad date", []string{"If-Modified-Since", "yesterday"}, 200},
			{"an empty date", []string{"If-Modified-Since", ""}, 200},
		}
		if modified != "" {
			cases = append(cases, []struct {
				name   string
				header []string
				want   int
			}{
				{"its own date", []string{"If-Modified-Since", modified}, 304},
				{"a later date", []string{"If-Modified-Since", later}, 304},
				{"an earlier date", []string{"If-Modified-Since", earlier}, 200},
			}...)
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, c := range cases {
				answer, got := w.ask(method, path, c.header...)
				if answer.StatusCode != c.want {
					t.Errorf("%s %s with %s answers %d, want %d", method, path, c.name, answer.StatusCode, c.want)
				}
				if (c.want == 304 || method == http.MethodHead) && len(got) > 0 {
					t.Errorf("%s %s with %s has a body", method, path, c.name)
				}
				if answer.Header.Get("ETag") != tag || answer.Header.Get("Last-Modified") != modified ||
					answer.Header.Get("Cache-Control") == "" || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding") {
					t.Errorf("%s %s with %s has the header %v", method, path, c.name, answer.Header)
				}
			}
		}
	}
}

func TestFeedsAreForEverybody(t *testing.T) {
	w := newBlogWorld(t)
	w.publish(models.Post{Slug: "post"})
	types := map[string]string{
		"xml": "application/rss+xml; charset=utf-8", "atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8",
	}
	for _, path := range blogFeeds() {
		answer, _ := w.ask(http.MethodGet, path, "Cookie", "__Host-session=stale; __Host-flash=saved")
		_, format, _ := strings.Cut(path, "feed.")
		if got := answer.Header.Get("Content-Type"); got != types[format] {
			t.Errorf("%s is %s", path, got)
		}
		if answer.Header.Get("Set-Cookie") != "" || answer.Header.Get("Access-Control-Allow-Origin") != "*" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the header %v", path, answer.Header)
		}
	}
}

func TestAFeedChangesWhenAnItemGoes(t *testing.T) {
	w := newBlogWorld(t)
	end := testkit.Start.Add(time.Minute)
	w.publish(models.Post{Slug: "stays"})
	w.publish(models.Post{Slug: "ends", ExpireAt: &end})
	first, _ := w.ask(http.MethodGet, "/feed.xml")
	w.clock.Set(end)
	for _, header := range [][]string{{"If-None-Match", first.Header.Get("ETag")}, {"If-Modified-Since", first.Header.Get("Last-Modified")}} {
		answer, body := w.ask(http.MethodGet, "/feed.xml", header...)
		if answer.StatusCode != http.StatusOK || strings.Contains(string(body), "/blog/ends") {
			t.Errorf("with %v the feed answers %d after an item ended", header, answer.StatusCode)
		}
		if got := answer.Header.Get("Last-Modified"); got != end.Format(http.TimeFormat) {
			t.Errorf("the feed was modified at %s, want %s", got, end)
		}
	}
}

func TestThePageOfFeedsListsEveryListThatCanBeFollowed(t *testing.T) {
	w := newBlogWorld(t)
	w.publish(models.Post{Slug: "post", SeriesID: new(int64(1))})
	now := testkit.Start
	w.insert(&models.Group{
		Slug: "berlin", Status: models.GroupListed, Name: "Berlin", City: "Berlin", Country: "DE", Timezone: "Europe/Berlin", Language: "de",
		Topics: []string{}, Links: []models.Link{}, CreatedAt: now, UpdatedAt: now,
	})
	w.insert(&models.Ambassador{
		Slug: "ana-sa", Status: models.AmbassadorPublished, Name: "Ana Sá", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, CreatedAt: now, UpdatedAt: now,
	})
	all := w.page("/feeds").Links()
	for _, want := range append(blogFeeds()[3:], "/feed.xml", "/feed.json", "/events.ics", "/events/feed.atom", "/blog/series/intros/feed.json",
		"/groups/berlin/feed.xml", "/groups/berlin/events.ics", "/ambassadors/ana-sa/feed.json", "/ambassadors/ana-sa/events.ics") {
		if !slices.Contains(all, want) && !strings.HasPrefix(want, "/blog/feed.") {
			t.Errorf("/feeds does not list %s", want)
		}
	}
}
