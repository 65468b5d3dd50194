package handlers

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/cdfoundation/portal/internal/auth"
	"github.com/cdfoundation/portal/internal/clock"
	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/links"
	"github.com/cdfoundation/portal/internal/markdown"
	"github.com/cdfoundation/portal/models"
)

// BenchmarkPostPage compares answering a request for a post, among 10,000, with rendering the same struct from memory.
// The first may cost at most one and a half times the processor time of the second: live/template.
func BenchmarkPostPage(b *testing.B) {
	app, a := benchmarkBlog(b, 10_000)
	handler := app.Server().Handler
	var c fasthttp.RequestCtx // used again and again, as a server does
	ask := func(path, encodings string) {
		benchmarkRequest(&c, path)
		c.Request.Header.Set(fiber.HeaderAcceptEncoding, encodings)
		if handler(&c); c.Response.StatusCode() != http.StatusOK {
			b.Fatalf("status %d", c.Response.StatusCode())
		}
	}
	post, err := a.Store.PostBySlug(b.Context(), "post-5000")
	if err != nil {
		b.Fatal(err)
	}
	benchmarkRequest(&c, "/blog/post-5000")
	ctx := app.AcquireCtx(&c)
	defer app.ReleaseCtx(ctx)
	shown := PostShow{Layout: a.postLayout(ctx, post), Post: a.newPostArticle(post)}
	// A parameter that no page reads lets the answer be made anew each time.
	live := func() { ask("/blog/post-5000?made=anew", "") }
	query := func() {
		if _, err := a.Store.PostBySlug(b.Context(), "post-5000"); err != nil {
			b.Fatal(err)
		}
	}
	template := func() {
		if _, err := a.pages.postShow.Render(shown); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("live", func(b *testing.B) { benchmarkProcessor(b, live) })
	b.Run("live-brotli", func(b *testing.B) { benchmarkProcessor(b, func() { ask("/blog/post-5000?made=anew", "br") }) })
	b.Run("queries", func(b *testing.B) { benchmarkProcessor(b, query) })
	b.Run("template", func(b *testing.B) { benchmarkProcessor(b, template) })
	// Request by request, so that whatever else the machine does slows both alike. Between two pages a server does other
	// things, so the template too starts from what the queries left in the processor's caches: following itself, as in the
	// loop above, it takes less.
	b.Run("ratio", func(b *testing.B) {
		var ratios []float64
		for b.Loop() {
			before := processorTime(b)
			live()
			answered := processorTime(b) - before
			query()
			before = processorTime(b)
			template()
			ratios = append(ratios, float64(answered)/float64(processorTime(b)-before))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "live/template")
	})
	b.Run("list", func(b *testing.B) { benchmarkProcessor(b, func() { ask("/blog?made=anew", "") }) })
}

// benchmarkRequest makes c the request of a visitor for a page.
func benchmarkRequest(c *fasthttp.RequestCtx, path string) {
	c.Request.Reset()
	c.Response.Reset()
	c.ResetUserValues()
	c.Request.Header.SetMethod(fasthttp.MethodGet)
	c.Request.SetRequestURI(path)
	c.Request.Header.SetHost("community.example.org")
}

// benchmarkProcessor runs do and reports the processor time of the whole process beside the time on the clock.
func benchmarkProcessor(b *testing.B, do func()) {
	b.Helper()
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// benchmarkBlog is a site whose blog holds n posts in five categories with three of fifty tags each.
func benchmarkBlog(b *testing.B, n int) (*fiber.App, *App) {
	b.Helper()
	ctx := context.Background()
	address := "sqlite:" + filepath.Join(b.TempDir(), "portal.db")
	if _, err := database.Migrate(ctx, address); err != nil {
		b.Fatal(err)
	}
	db, err := database.Open(ctx, address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)
	var (
		categories []models.Category
		tags       []models.Tag
		bylines    []models.Byline
		posts      []models.Post
		inCategory []models.PostCategory
		tagged     []models.PostTag
		signed     []models.PostByline
	)
	for i := int64(1); i <= 5; i++ {
		categories = append(categories, models.Category{ID: i, Slug: fmt.Sprint("category-", i), Name: fmt.Sprint("Category ", i)})
	}
	for i := int64(1); i <= 50; i++ {
		tags = append(tags, models.Tag{ID: i, Slug: fmt.Sprint("tag-", i), Name: fmt.Sprint("tag ", i)})
		bylines = append(bylines, models.Byline{ID: i, Slug: fmt.Sprint("author-", i), Name: fmt.Sprint("Author ", i), Title: "Engineer", Employer: "Acme"})
	}
	words := strings.Repeat("<p>A pipeline runs what changed, and what it runs tells whether the change may go on.</p>\n", 100)
	headings := []markdown.Heading{{Level: 2, ID: "one", Text: "One"}, {Level: 2, ID: "two", Text: "Two"}, {Level: 3, ID: "three", Text: "Three"}, {Level: 2, ID: "four", Text: "Four"}}
	for i := int64(1); i <= int64(n); i++ {
		at := now.Add(-time.Duration(int64(n)-i+1) * time.Hour)
		posts = append(posts, models.Post{
			ID: i, UUID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)).String(), Slug: fmt.Sprint("post-", i), Status: models.PostPublished, PublishAt: &at,
			Title: fmt.Sprintf("What we learned in %d days of delivery", i), Summary: "A short word about what is in it, as lists show it.", Language: "en", Licence: "CC-BY-4.0",
			HTML: words, Markdown: words, PlainText: words, Words: 1500, Contents: headings, CreatedAt: at, UpdatedAt: at,
		})
		inCategory = append(inCategory, models.PostCategory{PostID: i, CategoryID: i%5 + 1})
		for k := range int64(3) {
			tagged = append(tagged, models.PostTag{PostID: i, TagID: (i+k*17)%50 + 1, Position: int(k)})
		}
		signed = append(signed, models.PostByline{PostID: i, BylineID: i%50 + 1})
	}
	for _, rows := range []any{&categories, &tags, &bylines, &posts, &inCategory, &tagged, &signed} {
		if err := db.Writer.CreateInBatches(rows, 500).Error; err != nil {
			b.Fatal(err)
		}
	}
	base, _ := url.Parse("https://community.example.org")
	keys := auth.Keys{[]byte("a key for tests that is long enough")}
	o := Options{
		Store: models.NewStore(db.Reader, db.Writer, clock.NewFake(now).Clock(), keys), Site: links.New(base), Keys: keys,
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)), //nolint:sloglint // a line is written, and what it costs counts
		Ready: func(context.Context) error { return nil }, Contact: "community@example.org",
	}
	a, err := newApp(o)
	if err != nil {
		b.Fatal(err)
	}
	return a.fiber(), a
}
