package testkit_test

import (
	"slices"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

const page = `<!doctype html><html lang=en><head><title>Events</title><link rel=stylesheet href="/static/main.css">
<style>p{color:red}</style></head><body><h1>What
   is <em>coming</em></h1>
<ul><li class=event><a href="/events/one">One</a> <b>full</b>
<li class=event><a href="/events/two" download>Two</a></ul>
<img src="/a.png" srcset="/a.png 1x, /a2.png 2x" alt=""><form action="/search"><input name=q value="x"></form>
<a href="/events/one">again</a><script>var s = 1</script></body></html>`

func TestQuestionsToAPage(t *testing.T) {
	doc := testkit.Parse(t, []byte(page))

	if !doc.Has("li.event b") || doc.Has("li.past") {
		t.Error("Has: want li.event b and no li.past")
	}
	if n := doc.Count("li, h1"); n != 3 {
		t.Errorf("Count = %d, want 3", n)
	}
	if got := doc.Text("h1"); got != "What is coming" {
		t.Errorf("Text = %q", got)
	}
	if got := doc.Text("body"); got != "What is coming One full Two again" {
		t.Errorf("Text of the body = %q", got)
	}
	if got := doc.Texts("li a"); !slices.Equal(got, []string{"One", "Two"}) {
		t.Errorf("Texts = %q", got)
	}
	if got := doc.Attr("input[name=q]", "value"); got != "x" {
		t.Errorf("Attr = %q", got)
	}
	if doc.Text("h6") != "" || doc.Attr("h6", "id") != "" || doc.All("h6") != nil {
		t.Error("want nothing of what is not there")
	}
}

func TestAMatchIsAskedFurther(t *testing.T) {
	events := testkit.Parse(t, []byte(page)).All("li.event")
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	if !events[0].Has("b") || events[1].Has("b") {
		t.Error("want the first event full, the second not")
	}
	if got := events[1].Attr("a[download]", "href"); got != "/events/two" {
		t.Errorf("href = %q", got)
	}
	if got := events[0].Attr(":scope", "class"); got != "event" {
		t.Errorf("class = %q", got)
	}
}

func TestLinksAreEveryAddressOnce(t *testing.T) {
	want := []string{"/static/main.css", "/events/one", "/events/two", "/a.png", "/a2.png", "/search"}
	if got := testkit.Parse(t, []byte(page)).Links(); !slices.Equal(got, want) {
		t.Errorf("Links() = %q\nwant %q", got, want)
	}
}
