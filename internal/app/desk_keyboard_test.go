package app_test

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// tabTo presses Tab until the element that the selector names has the focus, and fails unless its focus can be seen.
func tabTo(t *testing.T, b *testkit.Browser, selector string) {
	t.Helper()
	b.WaitFor(selector)
	for range 150 {
		b.Keys("\t")
		if testkit.Eval[bool](b, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			if !testkit.Eval[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
				t.Errorf("nothing shows that %s has the focus", selector)
			}
			return
		}
	}
	t.Fatalf("Tab never leads to %s on %s", selector, b.URL())
}

// press goes to an element by Tab and presses Enter, which leads to a page that has next.
func press(t *testing.T, b *testkit.Browser, selector, next string) {
	t.Helper()
	tabTo(t, b, selector)
	b.Keys("\r")
	b.WaitFor(next)
}

func TestBrowserTheDeskWorksByKeyboardAlone(t *testing.T) {
	t.Parallel()
	withAndWithoutScripts(t, func(t *testing.T, p *portal, b *testkit.Browser) {
		write := func(selector, text string) {
			t.Helper()
			tabTo(t, b, selector)
			b.Keys(text)
		}
		code, link, errOut := p.run("user", "add", "--email", "ada@example.org", "--name", "Ada Example", "--role", "admin")
		if code != 0 {
			t.Fatal(errOut)
		}
		b.Open(p.URL + "/login/" + path.Base(strings.TrimSpace(link)))
		press(t, b, "main form button", ".rail")

		press(t, b, `.desk-top a[href="/admin/posts/new"]`, "#title")
		write("#title", "Tabs and keys")
		write("#body", "Written without a mouse.")
		press(t, b, `.desk-top button[value="review"]`, `form[action$="/publication"]`)
		press(t, b, `form[action$="/publication"] button`, `.desk-top a[href="/blog/tabs-and-keys"]`)
		shows(t, b, "Published")

		press(t, b, `.rail a[href="/admin/events"]`, `.desk-top a[href="/admin/events/new"]`)
		press(t, b, `.desk-top a[href="/admin/events/new"]`, "#event-form")
		write("#title", "An evening of keys")
		write("#venue_name", "Town hall")
		write("#venue_city", "Wellington")
		write("#venue_country", "New Zealand")
		write("#quota-0-size", "20")
		press(t, b, "#event-form .submit button", `.desk-top a[href$="/publication"]`)
		press(t, b, `.desk-top a[href$="/publication"]`, ".confirm")
		press(t, b, ".confirm .btn-primary", `.edit-side a[href$="/attendees"]`)
		press(t, b, `.edit-side a[href$="/attendees"]`, ".empty")
		shows(t, b, "Nobody yet")
		if response, _ := p.get(t, "/events/an-evening-of-keys"); response.StatusCode != http.StatusOK {
			t.Errorf("the published event answers %d", response.StatusCode)
		}
	})
}
