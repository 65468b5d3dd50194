package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_SEED", "none")
	host := strings.TrimPrefix(p.URL, "http://")
	if kept, err := stranger.Get(p.URL + "/"); err != nil {
		t.Fatal(err)
	} else if err := kept.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"two Host headers":                      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no Host header":                        "GET / HTTP/1.1\r\n\r\n",
		"Transfer-Encoding with Content-Length": "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"both on a page that is kept":           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"an unknown Transfer-Encoding":          "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
		"two Content-Lengths that differ":       "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"NUL in a header":                       "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n",
		"a malformed chunk":                     "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
		"NUL in the path":                       "GET /blog/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
		"a path that is not UTF-8":              "GET /blog/%ff HTTP/1.1\r\nHost: a\r\n\r\n",
		"a parameter that comes twice":          "GET /blog?page=1&page=2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"a parameter that is a list":            "GET /blog?page[]=2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"a huge parameter":                      "GET /search?q=" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"a query that is not UTF-8":             "GET /search?q=%ff HTTP/1.1\r\nHost: a\r\n\r\n",
		"a field that is not UTF-8":             "POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nemail=%ff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() //nolint:errcheck // the test is over
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte(raw)); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return // the connection was closed without an answer, which is a refusal too
			}
			defer response.Body.Close() //nolint:errcheck // the test is over
			if response.StatusCode != http.StatusBadRequest && response.StatusCode != http.StatusNotImplemented {
				t.Errorf("answered %s, want 400", response.Status)
			}
		})
	}
}

func TestChangesFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_SEED", "none")
	for name, tt := range map[string]struct {
		headers map[string]string
		want    int
	}{
		"a form of our own page":         {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": p.URL}, 422},
		"a program that says nothing":    {nil, 422},
		"another site":                   {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		"another name of the same site":  {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"another site in an old browser": {map[string]string{"Origin": "https://evil.example"}, 403},
		"an opaque origin":               {map[string]string{"Origin": "null"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/login", strings.NewReader("email=nobody"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for k, v := range tt.headers {
				request.Header.Set(k, v)
			}
			response, err := stranger.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close() //nolint:errcheck // the test is over
			if response.StatusCode != tt.want {
				t.Errorf("answered %s, want %d", response.Status, tt.want)
			}
		})
	}
}

func TestWhatTheServerRefusesItselfIsAnsweredAsSafely(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_SEED", "none")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test is over
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // the test is over
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %s, want 413", response.Status)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if response.Header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
}

// A body that nobody may send is refused by its head: none of it is sent here, and who waited for it would answer after the deadline.
func TestWhoMaySendALotIsKnownBeforeItIsRead(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_SEED", "none")
	cookie := func(role string) string {
		email := role + "@example.org"
		code, link, errOut := p.run("user", "add", "--email", email, "--name", "Sam Quux", "--role", role)
		if code != 0 {
			t.Fatal(errOut)
		}
		person, signIn := newWatch(p.URL).newPerson(t, p), "/login/"+path.Base(strings.TrimSpace(link))
		person.submit(person.open(signIn).form(t, signIn), signIn, nil)
		u, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range person.client.Jar.Cookies(u) {
			if c.Name == "session" {
				return c.String()
			}
		}
		t.Fatalf("%s is not signed in", email)
		return ""
	}
	staff, attendee := cookie("staff"), cookie("attendee")
	const chunks = "Transfer-Encoding: chunked\r\n\r\n"
	said := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n", n) }
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 40<<10, strings.Repeat("x", 40<<10))
	for name, tt := range map[string]struct {
		path, cookie, rest string
		want               int
	}{
		"a stranger":                           {"/logout", "", said(11 << 20), 413},
		"a stranger at a form of the desk":     {"/admin/posts", "", said(11 << 20), 413},
		"a stranger with more than any form":   {"/login", "", said(32<<10 + 1), 413},
		"a stranger in chunks":                 {"/admin/posts", "", chunks + chunk, 413},
		"a session that is none":               {"/admin/posts", "session=guessed", said(11 << 20), 413},
		"an attendee":                          {"/admin/posts", attendee, said(11 << 20), 413},
		"an attendee in chunks":                {"/account", attendee, chunks + chunk, 413},
		"staff with more than anybody may":     {"/admin/posts", staff, said(11<<20 + 1), 413},
		"a stranger with what a form may hold": {"/logout", "", said(32<<10) + strings.Repeat("x", 32<<10), 303},
		"staff":                                {"/admin/preview", staff, said(1<<20) + "body=" + strings.Repeat("x", 1<<20-5), 200},
		"staff in chunks":                      {"/admin/preview", staff, chunks + chunk + "0\r\n\r\n", 200},
		"staff that wait for leave to send":    {"/admin/preview", staff, "Expect: 100-continue\r\n" + said(1<<20), 100},
		"a stranger that waits for leave":      {"/admin/preview", "", "Expect: 100-continue\r\n" + said(1<<20), 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() //nolint:errcheck // the test is over
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			head := "POST " + tt.path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			if tt.cookie != "" {
				head += "Cookie: " + tt.cookie + "\r\n"
			}
			if _, err := conn.Write([]byte(head + tt.rest)); err != nil {
				t.Fatal(err)
			}
			answers := bufio.NewReader(conn)
			response, err := http.ReadResponse(answers, nil)
			if err == nil && response.StatusCode == http.StatusContinue && tt.want != http.StatusContinue {
				response, err = http.ReadResponse(answers, nil) // to go on is said to everybody, what comes is not read
			}
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close() //nolint:errcheck // the test is over
			if response.StatusCode != tt.want {
				t.Errorf("answered %s, want %d", response.Status, tt.want)
			}
		})
	}
}
