package feed_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"github.com/cdfoundation/portal/internal/feed"
)

var update = flag.Bool("update", false, "write the golden files anew")

const postID = "urn:uuid:3f1c3a64-9a0e-4d9a-8d63-6b7a54f6e1a2"

func sample() feed.Feed {
	return feed.Feed{
		ID:          "urn:uuid:0e3c8a55-55b3-4a80-9a8e-1d1f6f1b7c11",
		Title:       "Pipelines & people",
		Description: "What we learn about <delivery>",
		Language:    "en",
		HomeURL:     "https://portal.example/blog",
		SelfURL:     "https://portal.example/feed",
		NextURL:     "https://portal.example/feed?page=2",
		IconURL:     "https://portal.example/icon.png",
		Updated:     time.Date(2025, 3, 2, 9, 30, 0, 0, time.UTC),
		Items: []feed.Item{
			{
				ID:          postID,
				Title:       "Fish & chips <em>in</em> CI 🎂",
				URL:         "https://portal.example/blog/fish",
				ExternalURL: "https://elsewhere.example/fish",
				Summary:     "Tests < 5 min, R&D > waiting",
				ContentHTML: `<p>An array <code>a[b[0]]>1</code> &amp; more.</p>`,
				ImageURL:    "https://portal.example/media/fish.jpg",
				Authors: []feed.Author{
					{Name: "Ada Lovelace", URL: "https://portal.example/ambassadors/ada"},
					{Name: "Bo Ångström"},
				},
				Categories: []string{"CI/CD", "Q&A"},
				Published:  time.Date(2025, 2, 1, 12, 0, 0, 5, time.FixedZone("", 3600)),
				Updated:    time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC),
			},
			{
				ID:        "https://old.example/?p=123",
				Title:     "Ein alter Beitrag",
				URL:       "https://portal.example/blog/alt",
				Summary:   "Nur kurz.",
				Language:  "de",
				Published: time.Date(2019, 10, 17, 0, 0, 0, 0, time.UTC),
			},
		},
	}
}

var formats = []struct {
	name  string
	write func(feed.Feed) ([]byte, error)
}{
	{"rss", feed.Feed.RSS},
	{"atom", feed.Feed.Atom},
	{"json", feed.Feed.JSON},
}

func TestFeedsLookLikeTheirGoldenFiles(t *testing.T) {
	for _, empty := range []bool{false, true} {
		for _, format := range formats {
			f, name := sample(), "full."+format.name
			if empty {
				f, name = feed.Feed{ID: f.ID, Title: f.Title, HomeURL: f.HomeURL, SelfURL: f.SelfURL}, "empty."+format.name
			}
			t.Run(name, func(t *testing.T) {
				got, err := format.write(f)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join("testdata", name)
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

func TestAReaderFindsInEveryFormatWhatWasWritten(t *testing.T) {
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			got := parse(t, sample(), format.write)
			if got.Title != "Pipelines & people" || got.Language != "en" || len(got.Items) != 2 {
				t.Fatalf("title %q, language %q, %d items", got.Title, got.Language, len(got.Items))
			}
			if got.FeedLink != "https://portal.example/feed" || got.Link != "https://portal.example/blog" {
				t.Errorf("self %q, home %q", got.FeedLink, got.Link)
			}
			item := got.Items[0]
			if item.GUID != postID || item.Link != "https://portal.example/blog/fish" {
				t.Errorf("guid %q, link %q", item.GUID, item.Link)
			}
			if item.Title != "Fish & chips <em>in</em> CI 🎂" {
				t.Errorf("title %q", item.Title)
			}
			if want := `<p>An array <code>a[b[0]]>1</code> &amp; more.</p>`; item.Content != want {
				t.Errorf("content %q, want %q", item.Content, want)
			}
			wantSummary := "Tests < 5 min, R&D > waiting"
			if format.name == "rss" {
				wantSummary = "Tests &lt; 5 min, R&amp;D &gt; waiting" // a description is HTML
			}
			if item.Description != wantSummary {
				t.Errorf("description %q, want %q", item.Description, wantSummary)
			}
			var names []string
			for _, a := range item.Authors {
				names = append(names, a.Name)
			}
			if format.name == "rss" {
				names = item.DublinCoreExt.Creator // the parser's own list stops at the first
			}
			if want := []string{"Ada Lovelace", "Bo Ångström"}; !slices.Equal(names, want) {
				t.Errorf("authors %q, want %q", names, want)
			}
			if want := []string{"CI/CD", "Q&A"}; !slices.Equal(item.Categories, want) {
				t.Errorf("categories %q, want %q", item.Categories, want)
			}
			if want := time.Date(2025, 2, 1, 11, 0, 0, 0, time.UTC); item.PublishedParsed == nil || !item.PublishedParsed.Equal(want) {
				t.Errorf("published %v, want %v", item.PublishedParsed, want)
			}
		})
	}
}

func TestJSONNamesTheProfileOfEachAuthorAndTheLanguageOfAnItem(t *testing.T) {
	body, err := sample().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version string
		Items   []struct {
			Authors     []struct{ Name, URL string }
			Language    string
			ContentText string `json:"content_text"`
			Image       string
		}
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "https://jsonfeed.org/version/1.1" {
		t.Errorf("version %q", got.Version)
	}
	if first := got.Items[0]; first.Authors[0].URL != "https://portal.example/ambassadors/ada" || first.Image == "" {
		t.Errorf("first item %+v", first)
	}
	if second := got.Items[1]; second.Language != "de" || second.ContentText != "Nur kurz." {
		t.Errorf("second item %+v", second)
	}
}

func TestAnIDStaysWhenEverythingElseOfAnItemChanges(t *testing.T) {
	moved := sample()
	moved.HomeURL, moved.SelfURL = "https://new.example/blog", "https://new.example/feed"
	moved.Items[0].URL = "https://new.example/blog/renamed"
	moved.Items[0].Title = "Renamed"
	moved.Items[0].Authors = []feed.Author{{Name: "Cy"}}
	moved.Items[0].Updated = moved.Items[0].Updated.AddDate(1, 0, 0)
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			before, after := parse(t, sample(), format.write), parse(t, moved, format.write)
			if before.Items[0].GUID != postID || after.Items[0].GUID != postID {
				t.Errorf("ids %q and %q, want %q", before.Items[0].GUID, after.Items[0].GUID, postID)
			}
			if before.Items[0].Published != after.Items[0].Published {
				t.Errorf("published moved from %q to %q", before.Items[0].Published, after.Items[0].Published)
			}
			if format.name != "rss" && before.Items[0].Updated == after.Items[0].Updated {
				t.Errorf("updated stayed %q although the text changed", after.Items[0].Updated)
			}
		})
	}
}

func TestAFeedOrItemWithoutAnIDIsRefused(t *testing.T) {
	noFeedID, noItemID := sample(), sample()
	noFeedID.ID, noItemID.Items[1].ID = "", ""
	for _, format := range formats {
		for _, f := range []feed.Feed{noFeedID, noItemID} {
			if _, err := format.write(f); err == nil {
				t.Errorf("%s: written without an id", format.name)
			}
		}
	}
}

func TestWritingLeavesTheGivenFeedAsItWas(t *testing.T) {
	f := sample()
	f.Items[0].Categories[0] = "a\x0bb"
	f.Updated = time.Time{}
	for _, format := range formats {
		if _, err := format.write(f); err != nil {
			t.Fatal(err)
		}
	}
	want := sample()
	want.Items[0].Categories[0] = "a\x0bb"
	want.Updated = time.Time{}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWithoutADateOfItsOwnAFeedTakesItsNewestItems(t *testing.T) {
	f := sample()
	f.Updated = time.Time{}
	if got := parse(t, f, feed.Feed.Atom); got.Updated != "2025-03-01T08:00:00Z" {
		t.Errorf("updated %q", got.Updated)
	}
}

func FuzzAnyTextGivesAWellFormedFeed(f *testing.F) {
	f.Add("a\x0bb\x00c", "x\x0b\x1f]]>", "\xff\xfe")
	f.Add("<script>&nbsp;", "]]]]>><![CDATA[", "\ud7ff\ufffe\uffff")
	f.Add("🇳🇿 \u2028", "x\r\ny", `"'\`)
	f.Fuzz(func(t *testing.T, title, content, name string) {
		in := sample()
		in.Title, in.Description = title, name
		in.Items[0].Title, in.Items[0].Summary, in.Items[0].ContentHTML = title, content, content
		in.Items[0].Authors[0] = feed.Author{Name: name, URL: title}
		in.Items[0].Categories[0], in.Items[0].URL, in.Items[0].ImageURL = name, content, name
		for _, format := range formats {
			body, err := format.write(in)
			if err != nil {
				t.Fatal(err)
			}
			if !utf8.Valid(body) {
				t.Fatalf("%s is not UTF-8: %q", format.name, body)
			}
			if format.name == "json" {
				if !json.Valid(body) {
					t.Fatalf("not JSON: %s", body)
				}
			} else if items := elements(t, body)["item"] + elements(t, body)["entry"]; items != 2 {
				t.Fatalf("%s has %d items, want 2:\n%s", format.name, items, body)
			}
			again, err := format.write(in)
			if err != nil || !bytes.Equal(body, again) {
				t.Fatalf("%s differs when written twice (%v)", format.name, err)
			}
		}
	})
}

// elements reads a document strictly and counts its elements by local name.
func elements(t *testing.T, doc []byte) map[string]int {
	t.Helper()
	count := map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, doc)
		}
		if e, ok := token.(xml.StartElement); ok {
			count[e.Name.Local]++
		}
	}
}

func parse(t *testing.T, f feed.Feed, write func(feed.Feed) ([]byte, error)) *gofeed.Feed {
	t.Helper()
	body, err := write(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return got
}
