package app_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
)

// saying are the files under a folder that hold one of some words, in any case.
func saying(t *testing.T, dir string, words ...string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			return nil // a worker was faster
		}
		content = bytes.ToLower(content)
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) || strings.Contains(strings.ToLower(name), word) {
				names = append(names, strings.TrimPrefix(name, dir))
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// until waits for something that a worker does, which looks twice a second.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("in 30 s: not %s", what)
}

func TestNothingUnderTheDataFolderNamesWhoErasedThemselves(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]func(t *testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"PORTAL_DATABASE_URL", testkit.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, settings(t)...)
			watch := newWatch(p.URL)
			zelda := watch.newPerson(t, p)
			code, link, errOut := p.run("user", "add", "--email", "zelda@example.org", "--name", "Zelda Quux", "--role", "ambassador", "--group", "berlin")
			if code != 0 {
				t.Fatal(errOut)
			}
			signIn := "/login/" + path.Base(strings.TrimSpace(link))
			zelda.submit(zelda.open(signIn).form(t, signIn), signIn, nil)
			const profile = "/admin/profile"
			zelda.upload(zelda.open(profile).form(t, profile), profile, map[string]string{"bio": "Zelda grows pipelines.", "photo_alt": "Zelda in a garden"},
				map[string]file{"photo": {"zelda.png", dot}})
			post := zelda.submit(zelda.open("/admin/posts/new").form(t, "/admin/posts"), "/admin/posts", map[string]string{"title": "Zelda prunes", "body": "By Zelda.", "intent": "submit"})
			if post.status != http.StatusSeeOther {
				t.Fatalf("the post answers %d", post.status)
			}
			const register = "/events/krakow-supply-chain-hackathon/register"
			ticket := zelda.submit(zelda.open(register).form(t, register), register, map[string]string{"tickets": "build", "consent": "yes"})
			if !strings.HasPrefix(ticket.location, "/registrations/") {
				t.Fatalf("registering answers %d", ticket.status)
			}
			p.kept(t, "zelda@example.org", 1)
			if pictures, _ := filepath.Glob(filepath.Join(p.DataDir, "media", "*")); len(pictures) != 1 {
				t.Fatalf("%d pictures were kept", len(pictures))
			}

			zip := zelda.submit(zelda.open("/account").form(t, "/account/data"), "/account/data", nil)
			if zip.status != http.StatusOK || !bytes.HasPrefix(zip.body, []byte("PK")) {
				t.Fatalf("her data answers %d", zip.status)
			}
			gone := zelda.submit(zelda.open("/account/erasure").form(t, "/account/erasure"), "/account/erasure", map[string]string{"sure": "yes"})
			if gone.status != http.StatusSeeOther || gone.location != "/" {
				t.Fatalf("erasing answers %d to %s", gone.status, gone.location)
			}
			if page := zelda.open("/"); !strings.Contains(textOf(page.root), "Your account and your data are erased") {
				t.Error("nothing says that it is done")
			}
			last := regexp.MustCompile(`(?m)^Subject: Your data is erased`)
			until(t, "her last mail alone", func() bool {
				kept := saying(t, filepath.Join(p.DataDir, "mail"), "zelda")
				if len(kept) != 1 {
					return false
				}
				content, err := os.ReadFile(filepath.Join(p.DataDir, "mail", kept[0]))
				return err == nil && last.Match(content)
			})
			until(t, "without her picture", func() bool {
				pictures, _ := filepath.Glob(filepath.Join(p.DataDir, "media", "*"))
				return len(pictures) == 0
			})
			if found := zelda.open("/search?q=" + url.QueryEscape("zelda")); strings.Contains(textOf(found.root), "Quux") {
				t.Error("the search finds her")
			}

			// A day later the mail that told of it has gone as well.
			p.stop()
			p.env["PORTAL_CLOCK_OFFSET"] = "25h"
			p.start(t)
			until(t, "without her last mail", func() bool { return len(saying(t, filepath.Join(p.DataDir, "mail"), "zelda", "quux")) == 0 })
			p.stop()
			if names := saying(t, p.DataDir, "zelda", "quux"); len(names) > 0 {
				t.Errorf("she is named in %q", names)
			}
		})
	}
}
