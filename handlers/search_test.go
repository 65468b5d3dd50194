package handlers_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cdfoundation/portal/handlers"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/internal/testkit"
	"github.com/cdfoundation/portal/models"
)

// searchSite is a site with a few public things, a draft and a post for later.
func searchSite(t *testing.T) (*fiber.App, *models.Store, *clock.Fake) {
	t.Helper()
	now := testkit.Clock()
	store := testkit.SQLite(t, now)
	post := func(slug, title, text string, at time.Time, status models.PostStatus, source string) models.Post {
		return models.Post{
			UUID: slug, Slug: slug, Status: status, PublishAt: &at, Title: title, PlainText: text, Language: "en", Licence: "CC-BY-4.0", SourceURL: source,
			Contents: []markdown.Heading{}, Version: 1, CreatedAt: at, UpdatedAt: at,
		}
	}
	day := 24 * time.Hour
	posts := []models.Post{
		post("tekton-tasks", "Tekton tasks & <b>steps</b>", "How a task runs.", testkit.Start.Add(-2*day), models.PostPublished, ""),
		post("cross-post", "Tekton elsewhere", "First told elsewhere.", testkit.Start.Add(-3*day), models.PostPublished, "https://example.org/tekton"),
		post("draft", "Tekton draft", "Not yet.", testkit.Start.Add(-day), models.PostDraft, ""),
		post("later", "Tekton later", "Tomorrow.", testkit.Start.Add(day), models.PostPublished, ""),
		post("china", "持续交付沙龙", "持续集成与持续部署。", testkit.Start.Add(-4*day), models.PostPublished, ""),
	}
	for i := range 25 {
		posts = append(posts, post(fmt.Sprint("note-", i), fmt.Sprint("Note ", i), "A note on Spinnaker.", testkit.Start.Add(-time.Duration(10+i)*day), models.PostPublished, ""))
	}
	for _, rows := range []any{
		&posts,
		&models.Tag{ID: 1, Slug: "gitops", Name: "gitops"}, &models.PostTag{PostID: 1, TagID: 1},
		&models.Tag{ID: 2, Slug: "unused", Name: "unused"},
		&models.Ambassador{Slug: "helen-beal", Status: models.AmbassadorPublished, Name: "Helen Beal", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, Version: 1},
		&models.Ambassador{Slug: "not-yet", Status: models.AmbassadorDraft, Name: "Not Yet", Languages: []string{}, Topics: []string{}, Links: []models.Link{}, Version: 1},
		&models.Page{Path: "projects/tekton", Title: "Tekton", ProjectStatus: "founding", Contents: []markdown.Heading{}, UpdatedAt: testkit.Start},
	} {
		if err := testkit.DB(t, store).Create(rows).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Reindex(t.Context()); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("https://community.example.org")
	if err != nil {
		t.Fatal(err)
	}
	app, err := handlers.New(handlers.Options{
		Store: store, Site: links.New(base), Log: slog.New(slog.DiscardHandler), Keys: testkit.Keys(), Contact: "community@example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	return app, store, now
}

// fetch asks the site for a path.
func fetch(t *testing.T, app *fiber.App, path string) (*http.Response, []byte) {
	t.Helper()
	response, err := app.Test(httptest.NewRequest(http.MethodGet, path, nil), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func TestTheSearchShowsWhatItFoundByKind(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/search?q=tekton")
	doc := testkit.Parse(t, body)
	if got, want := doc.Texts(".result h3"), []string{"Tekton tasks & <b>steps</b>", "Tekton elsewhere", "Tekton"}; !slices.Equal(got, want) {
		t.Errorf("results %q, want %q", got, want)
	}
	if got := doc.Text(".search-found"); got != "2 posts and 1 page for tekton" {
		t.Errorf("it says %q", got)
	}
	if got := doc.Attr(".result h3 a", "href"); got != "/blog/tekton-tasks" {
		t.Errorf("the first leads to %q", got)
	}
	if got := doc.Text(".result mark"); got != "Tekton" {
		t.Errorf("marked %q", got)
	}
	if got, want := doc.Texts(".views a"), []string{"All", "Posts 2", "Pages 1"}; !slices.Equal(got, want) {
		t.Errorf("kinds %q, want %q", got, want)
	}
	if got := doc.Attr("input[name=q]", "value"); got != "tekton" {
		t.Errorf("the field holds %q", got)
	}
	if doc.Attr("meta[name=robots]", "content") != "noindex" || doc.Has("link[rel=canonical]") || doc.Count("h1") != 1 {
		t.Error("results must not be indexed, have no canonical address and one heading")
	}
}

func TestTheSearchIsReadyBeforeAnythingWasTyped(t *testing.T) {
	app, _, _ := searchSite(t)
	for _, path := range []string{"/search", "/search?q=", "/search?q=%20%20"} {
		response, body := fetch(t, app, path)
		doc := testkit.Parse(t, body)
		if response.StatusCode != http.StatusOK || doc.Has(".result") || doc.Has(".empty") {
			t.Errorf("%s: status %d, or results for nothing", path, response.StatusCode)
		}
		if got, want := doc.Texts(".tag"), []string{"gitops"}; !slices.Equal(got, want) {
			t.Errorf("%s suggests %q, want %q", path, got, want)
		}
	}
}

func TestASearchWithoutResultsSaysWhatToDoNext(t *testing.T) {
	app, _, _ := searchSite(t)
	for _, query := range []string{"zebra", "<script>alert(1)</script>", `"`, "*", "' OR 1=1 --", "🦘", strings.Repeat("持", 900)} {
		response, body := fetch(t, app, "/search?q="+url.QueryEscape(query))
		doc := testkit.Parse(t, body)
		if response.StatusCode != http.StatusOK || !doc.Has(".empty a[href='/events']") || doc.Has("main script") {
			t.Errorf("%.20q: status %d, page %.300s", query, response.StatusCode, doc.Text("main"))
		}
	}
}

func TestResultsOfOneKindComeInPages(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/search?q=spinnaker")
	doc := testkit.Parse(t, body)
	if n, more := doc.Count(".result"), doc.Text("a[href='/search?q=spinnaker&kind=post'].btn"); n != 5 || more != "All 25 posts" {
		t.Errorf("the overview has %d results and leads to %q", n, more)
	}
	_, body = fetch(t, app, "/search?q=spinnaker&kind=post")
	if n := testkit.Parse(t, body).Count(".result"); n != 20 {
		t.Errorf("the first page has %d results", n)
	}
	_, body = fetch(t, app, "/search?q=spinnaker&kind=post&page=2")
	if n := testkit.Parse(t, body).Count(".result"); n != 5 {
		t.Errorf("the second page has %d results", n)
	}
	for _, path := range []string{"/search?q=spinnaker&kind=post&page=3", "/search?q=spinnaker&page=x"} {
		if response, _ := fetch(t, app, path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, response.StatusCode)
		}
	}
}

func TestTheSearchReadsChinese(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/search?q="+url.QueryEscape("持续交付"))
	if got := testkit.Parse(t, body).Texts(".result mark"); !slices.Equal(got, []string{"持续交付"}) {
		t.Errorf("marked %q", got)
	}
}

// sitemap reads the addresses of a sitemap.
func sitemap(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var parsed struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URL     []struct {
			Loc     string `xml:"loc"`
			LastMod string `xml:"lastmod"`
		} `xml:"url"`
	}
	if err := xml.Unmarshal(body, &parsed); err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for _, u := range parsed.URL {
		addresses[strings.TrimPrefix(u.Loc, "https://community.example.org")] = u.LastMod
	}
	return addresses
}

func TestTheSitemapNamesWhatIsPublicAndOurs(t *testing.T) {
	app, store, now := searchSite(t)
	_, body := fetch(t, app, "/sitemap.xml")
	addresses := sitemap(t, body)
	for _, path := range []string{"/", "/events", "/blog", "/blog/tekton-tasks", "/blog/tag/gitops", "/ambassadors/helen-beal", "/projects/tekton"} {
		if _, ok := addresses[path]; !ok {
			t.Errorf("%s is missing", path)
		}
	}
	for _, path := range []string{"/blog/cross-post", "/blog/draft", "/blog/later", "/blog/tag/unused", "/ambassadors/not-yet", "/search", "/admin"} {
		if _, ok := addresses[path]; ok {
			t.Errorf("%s is named", path)
		}
	}
	if got, want := addresses["/blog/tekton-tasks"], testkit.Start.Add(-48*time.Hour).Format(time.RFC3339); got != want {
		t.Errorf("the post changed at %q, want %q", got, want)
	}
	for path := range addresses {
		if response, _ := fetch(t, app, path); response.StatusCode != http.StatusOK && !strings.HasPrefix(path, "/events") {
			t.Errorf("the sitemap names %s, which answers %d", path, response.StatusCode)
		}
	}
	now.Set(testkit.Start.Add(24 * time.Hour))
	_, body = fetch(t, app, "/sitemap.xml")
	if _, ok := sitemap(t, body)["/blog/later"]; !ok {
		t.Error("a scheduled post is missing at its time")
	}
	entries, err := store.Sitemap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := store.CountSitemap(t.Context()); err != nil || n != len(entries) {
		t.Errorf("counted %d entries of %d: %v", n, len(entries), err)
	}
	for _, path := range []string{"/sitemap-1.xml", "/sitemap-0.xml", "/sitemap-x.xml"} {
		if response, _ := fetch(t, app, path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, response.StatusCode)
		}
	}
}

func TestASitemapThatIsTooLongIsParted(t *testing.T) {
	app, store, _ := searchSite(t)
	groups := make([]models.Group, 50_010)
	for i := range groups {
		groups[i] = models.Group{Slug: fmt.Sprint("g-", i), Status: models.GroupListed, Name: "G", City: "C", Country: "DE", Timezone: "UTC", Topics: []string{}, Links: []models.Link{}}
	}
	if err := testkit.DB(t, store).CreateInBatches(&groups, 1000).Error; err != nil {
		t.Fatal(err)
	}
	_, body := fetch(t, app, "/sitemap.xml")
	if n := bytes.Count(body, []byte("<sitemap><loc>https://community.example.org/sitemap-")); n != 2 {
		t.Fatalf("the index names %d sitemaps: %.300s", n, body)
	}
	_, first := fetch(t, app, "/sitemap-1.xml")
	_, second := fetch(t, app, "/sitemap-2.xml")
	if n := len(sitemap(t, first)); n != 50_000 {
		t.Errorf("the first holds %d", n)
	}
	if n := len(sitemap(t, second)); n < 10 {
		t.Errorf("the second holds %d", n)
	}
}

func TestRobotsStayOutOfWhatIsForPeople(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/robots.txt")
	for _, line := range []string{"User-agent: *", "Disallow: /admin", "Disallow: /search", "Disallow: /registrations", "Disallow: /login", "Disallow: /account", "Sitemap: https://community.example.org/sitemap.xml"} {
		if !slices.Contains(strings.Split(string(body), "\n"), line) {
			t.Errorf("no line %q in\n%s", line, body)
		}
	}
}

func TestTheManifestNamesIconsThatAreThere(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/manifest.webmanifest")
	var manifest struct {
		StartURL string `json:"start_url"`
		Icons    []struct {
			Src string `json:"src"`
		} `json:"icons"`
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.StartURL != "/" || len(manifest.Icons) == 0 {
		t.Errorf("manifest: %s", body)
	}
	for _, icon := range manifest.Icons {
		if response, _ := fetch(t, app, icon.Src); response.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", icon.Src, response.StatusCode)
		}
	}
}

func TestTheSecurityContactIsGoodForAYear(t *testing.T) {
	app, _, _ := searchSite(t)
	_, body := fetch(t, app, "/.well-known/security.txt")
	for _, line := range []string{"Contact: mailto:community@example.org\n", "Expires: 2027-11-21T00:00:00Z\n"} {
		if !strings.Contains(string(body), line) {
			t.Errorf("no line %q in\n%s", line, body)
		}
	}
}

func TestEveryPublicPageHasAPictureToShare(t *testing.T) {
	app, _, now := searchSite(t)
	for _, path := range []string{
		"/share/home.png", "/share/blog.png", "/share/events.png", "/share/groups.png", "/share/ambassadors.png", "/share/ambassadors/apply.png",
		"/share/blog/tekton-tasks.png", "/share/blog/china.png", "/share/ambassadors/helen-beal.png", "/share/projects/tekton.png",
	} {
		response, body := fetch(t, app, path)
		config, err := png.DecodeConfig(bytes.NewReader(body))
		if err != nil || config.Width != 1200 || config.Height != 630 {
			t.Errorf("%s: status %d, %d × %d: %v", path, response.StatusCode, config.Width, config.Height, err)
		}
		if response.Header.Get("Cache-Control") != "public, max-age=86400" || response.Header.Get("Etag") == "" {
			t.Errorf("%s: headers %v", path, response.Header)
		}
	}
	for _, path := range []string{
		"/share/blog/draft.png", "/share/blog/later.png", "/share/blog/nothing.png", "/share/ambassadors/not-yet.png", "/share/nothing.png", "/share/blog/tekton-tasks",
		"/share/.png", "/share/blog/tekton-tasks.png.png", "/share/ambassadors/cohorts/nothing.png",
	} {
		if response, _ := fetch(t, app, path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, response.StatusCode)
		}
	}
	now.Set(testkit.Start.Add(24 * time.Hour))
	if response, _ := fetch(t, app, "/share/blog/later.png"); response.StatusCode != http.StatusOK {
		t.Errorf("a scheduled post's picture answers %d at its time", response.StatusCode)
	}
}

func TestAPictureFollowsTheTitle(t *testing.T) {
	app, store, _ := searchSite(t)
	_, before := fetch(t, app, "/share/blog/tekton-tasks.png")
	_, again := fetch(t, app, "/share/blog/tekton-tasks.png")
	if !bytes.Equal(before, again) {
		t.Error("the same title makes another picture")
	}
	if err := testkit.DB(t, store).Exec("UPDATE posts SET title = 'Another title' WHERE slug = 'tekton-tasks'").Error; err != nil {
		t.Fatal(err)
	}
	if _, after := fetch(t, app, "/share/blog/tekton-tasks.png"); bytes.Equal(before, after) {
		t.Error("the picture still shows the old title")
	}
}

func TestPagesNameThePictureOfTheirOwn(t *testing.T) {
	app, _, _ := searchSite(t)
	for path, want := range map[string]string{
		"/": "/share/home.png", "/blog": "/share/blog.png", "/blog/tekton-tasks": "/share/blog/tekton-tasks.png", "/blog/tag/gitops": "/share/home.png",
		"/projects/tekton": "/share/projects/tekton.png", "/ambassadors/helen-beal": "/share/ambassadors/helen-beal.png", "/feeds": "/share/home.png",
	} {
		_, body := fetch(t, app, path)
		if got := testkit.Parse(t, body).Attr("meta[property='og:image']", "content"); got != "https://community.example.org"+want {
			t.Errorf("%s names %q, want %s", path, got, want)
		}
	}
}

func TestTheSearchPagesAreValid(t *testing.T) {
	app, _, _ := searchSite(t)
	pages := map[string][]byte{}
	for _, path := range []string{"/search", "/search?q=tekton", "/search?q=zebra", "/search?q=spinnaker&kind=post&page=2"} {
		_, pages[path] = fetch(t, app, path)
	}
	testkit.CheckHTML(t, pages)
}
