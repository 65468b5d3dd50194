package app_test

import (
	"bufio"
	"net"
	"net/http"
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
