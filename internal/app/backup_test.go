package app_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/testkit"
)

// newEmptyPortal has settings and nothing else, as a machine on which a backup is to be restored.
func newEmptyPortal(t *testing.T, url string) *portal {
	t.Helper()
	p := newPortal(t)
	if url != "" {
		p.env["PORTAL_DATABASE_URL"] = url
	}
	return p
}

// backedUpRows are the lines of a backup's rows in an order that is no database's own, without the header, which has a
// time, the secret key, which only PostgreSQL keeps among its rows and which counts there, and what a restore ends.
func backedUpRows(t *testing.T, file string) []string {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	dump, err := archive.Open("database.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dump.Close() }()
	all, err := io.ReadAll(dump)
	if err != nil {
		t.Fatal(err)
	}
	var table string
	var lines []string
	for line := range strings.Lines(string(all[bytes.IndexByte(all, '\n')+1:])) {
		if strings.HasPrefix(line, "{") {
			table = line
		}
		if strings.HasPrefix(table, `{"table":"sessions"`) || strings.HasPrefix(table, `{"table":"sign_in_links"`) || strings.Contains(line, "session.end_all") {
			continue
		}
		if !strings.Contains(line, "secret_key") && !strings.Contains(line, `"rows":`) {
			lines = append(lines, table+line)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestWhatWasBackedUpInARushIsThereAfterTheMachineIsGone(t *testing.T) {
	t.Parallel()
	eachDatabaseURL(t, func(t *testing.T, url string) {
		p := serve(t, "PORTAL_DATABASE_URL", url)
		if code, _, said := p.run("content", "import", newRush(t, 1000)); code != 0 {
			t.Fatalf("import: %s", said)
		}
		upload := filepath.Join(p.DataDir, "media", "a-picture.webp")
		if err := os.MkdirAll(filepath.Dir(upload), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(upload, []byte("a picture"), 0o600); err != nil {
			t.Fatal(err)
		}
		var answered []string
		for n := range 5 {
			status, location, err := register(p.URL, fmt.Sprintf("early%d@example.org", n), "build", "mend")
			if err != nil || status != http.StatusSeeOther {
				t.Fatalf("%d, %v", status, err)
			}
			answered = append(answered, location)
		}
		over := make(chan struct{})
		var people sync.WaitGroup
		for n := range 4 {
			people.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-over:
						return
					default:
						_, _, _ = register(p.URL, fmt.Sprintf("late%d-%d@example.org", n, i), "learn")
					}
				}
			})
		}
		file := filepath.Join(t.TempDir(), "portal.zip")
		code, said, errOut := p.run("backup", file)
		close(over)
		people.Wait()
		if code != 0 || !strings.Contains(said, "uploads: 1\n") {
			t.Fatalf("backup: %d, %s%s", code, said, errOut)
		}
		if code, _, errOut := p.run("backup", file); code != 1 || !strings.Contains(errOut, "there already") {
			t.Errorf("a backup over another: %d, %s", code, errOut)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup can be read by others: %v, %v", info.Mode(), err)
		}
		if code, _, errOut := p.run("restore", file); code != 1 || !strings.Contains(errOut, "holds data already") {
			t.Errorf("a restore over a database in use: %d, %s", code, errOut)
		}
		crowd.CloseIdleConnections() // one that was never used is waited for
		p.stop()
		if err := os.RemoveAll(p.DataDir); err != nil {
			t.Fatal(err)
		}
		want := backedUpRows(t, file)
		t.Run("to SQLite", func(t *testing.T) { restored(t, newEmptyPortal(t, ""), file, want, answered) })
		t.Run("to PostgreSQL", func(t *testing.T) { restored(t, newEmptyPortal(t, testkit.Postgres(t)), file, want, answered) })
	})
}

// restored fills a portal from a backup and looks whether all is there, and whether it can be worked with.
func restored(t *testing.T, p *portal, file string, want, answered []string) {
	t.Helper()
	if code, _, errOut := p.run("restore", file); code != 0 {
		t.Fatalf("restore: %s", errOut)
	}
	again := filepath.Join(t.TempDir(), "again.zip")
	if code, _, errOut := p.run("backup", again); code != 0 {
		t.Fatalf("backup of what was restored: %s", errOut)
	}
	got := backedUpRows(t, again)
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("a row is\n%s, want\n%s", got[i], want[i])
				break
			}
		}
		t.Errorf("%d lines are there after the restore, want %d", len(got), len(want))
	}
	if code, out, _ := p.run("doctor"); code != 0 {
		t.Errorf("doctor after the restore:\n%s", out)
	}
	p.start(t)
	for _, link := range answered {
		if response, _ := p.get(t, link); response.StatusCode != http.StatusOK {
			t.Errorf("the link of an old registration answers %d", response.StatusCode)
		}
	}
	if upload, err := os.ReadFile(filepath.Join(p.DataDir, "media", "a-picture.webp")); string(upload) != "a picture" {
		t.Errorf("the upload holds %q: %v", upload, err)
	}
	if _, body := p.get(t, "/search?q=tekton"); !bytes.Contains(body, []byte("<mark>")) {
		t.Error("the search finds nothing")
	}
	if status, _, err := register(p.URL, "new@example.org", "build"); err != nil || status != http.StatusSeeOther {
		t.Errorf("a new registration gets %d, %v", status, err)
	}
}

func TestARestoreWantsABackup(t *testing.T) {
	t.Parallel()
	p := newEmptyPortal(t, "")
	file := filepath.Join(t.TempDir(), "holiday.zip")
	if err := os.WriteFile(file, []byte("not an archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := p.run("restore", file); code != 1 || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, "is no backup") {
		t.Errorf("%d, %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(p.DataDir, "portal.db")); err == nil {
		t.Error("a database was made of nothing")
	}
}

func TestARestoreTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	p := newEmptyPortal(t, "")
	restore := func(dump, upload string) (code int, errOut string) {
		file := filepath.Join(t.TempDir(), "portal.zip")
		out, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(out)
		for name, text := range map[string]string{
			"database.jsonl": dump, "key.json": `{"fingerprint":"00","secret":"a secret that is long enough"}`, "media/a-picture.webp": upload, "media/../../away": "no",
		} {
			entry, err := archive.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(entry, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(archive.Close(), out.Close()); err != nil {
			t.Fatal(err)
		}
		code, _, errOut = p.run("restore", file)
		return code, errOut
	}
	const rows = `{"schema":1,"taken":"2026-11-22T10:00:00Z"}
{"table":"settings","columns":["key","value"]}
["greeting","Good morning"]
`
	const end = `{"table":"","columns":null,"rows":1}` + "\n"
	for _, tt := range []struct{ name, dump, want string }{
		{"a newer program's", strings.Replace(rows, `"schema":1`, `"schema":9999`, 1) + end, "use the newer program"},
		{"a row too short", rows + `["alone"]` + "\n" + end, "1 values for 2 columns"},
		{"a row twice", rows + `["greeting","Good evening"]` + "\n" + end, "settings"},
		{"a row too many", rows + `["farewell","Good night"]` + "\n" + end, "2 rows"},
		{"a table of its own", rows + `{"table":"settings; DROP TABLE users","columns":["id"]}` + "\n" + end, "no name of a table"},
		{"an end too early", rows, "lacks its end"},
		{"an end in a row", rows + `["greeting",`, "dump"},
	} {
		if code, errOut := restore(tt.dump, "picture"); code != 1 || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%s: %d, %s", tt.name, code, errOut)
		}
	}
	if code, errOut := restore(rows+end, strings.Repeat("0", 65<<20)); code != 1 || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, "a-picture.webp: it has more than 64 MB") {
		t.Errorf("an upload that is none: %d, %s", code, errOut)
	}
	if code, errOut := restore(rows+end, "another picture"); code != 1 || !strings.Contains(errOut, "overwrites nothing") {
		t.Errorf("over an upload that is there: %d, %s", code, errOut)
	}
	p.env["PORTAL_SECRET_KEY"] = "another-key-which-is-long-enough-for-this"
	if code, errOut := restore(rows+end, "picture"); code != 1 || !strings.Contains(errOut, "PORTAL_SECRET_KEY") {
		t.Errorf("with another key: %d, %s", code, errOut)
	}
	delete(p.env, "PORTAL_SECRET_KEY")
	if code, errOut := restore(rows+end, "picture"); code != 0 {
		t.Errorf("after all that something is left: %s", errOut)
	}
	if info, err := os.Stat(filepath.Join(p.DataDir, "portal.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the database: %v, %v", info.Mode(), err)
	}
}

func TestABackupTellsWhichKeyItsLinksNeed(t *testing.T) {
	t.Parallel()
	key := "a-key-of-the-settings-which-is-long-enough"
	p := serve(t, "PORTAL_SEED", "none", "PORTAL_SECRET_KEY", key)
	if code, _, said := p.run("content", "import", newRush(t, 10)); code != 0 {
		t.Fatalf("import: %s", said)
	}
	_, link, err := register(p.URL, "ada@example.org", "build")
	if err != nil || link == "" {
		t.Fatal(err)
	}
	delete(p.env, "PORTAL_SECRET_KEY")
	if code, _, errOut := p.run("stats"); code != 1 || !strings.Contains(errOut, "PORTAL_SECRET_KEY") {
		t.Errorf("a command that would make a key anew: %d, %s", code, errOut)
	}
	p.env["PORTAL_SECRET_KEY"] = key
	file := filepath.Join(t.TempDir(), "portal.zip")
	if code, out, errOut := p.run("backup", file); code != 0 || !strings.Contains(out, "keep PORTAL_SECRET_KEY") {
		t.Fatalf("backup: %d, %s%s", code, out, errOut)
	}
	q := newEmptyPortal(t, "")
	if code, _, errOut := q.run("restore", file); code != 1 || !strings.Contains(errOut, "name it in PORTAL_SECRET_KEY") {
		t.Errorf("a restore without the key: %d, %s", code, errOut)
	}
	q.env["PORTAL_SECRET_KEY"] = "a-newer-key-which-is-long-enough-as-well," + key
	if code, _, errOut := q.run("restore", file); code != 0 {
		t.Fatalf("restore: %s", errOut)
	}
	q.start(t)
	if response, _ := q.get(t, link); response.StatusCode != http.StatusOK {
		t.Errorf("the old link answers %d", response.StatusCode)
	}
}

// askBackup asks for a backup in the desk and returns the address of its file when it is made.
func askBackup(t *testing.T, ada *person) (file string) {
	t.Helper()
	ada.submit(ada.open("/admin/backups").form(t, "/admin/backups"), "/admin/backups", nil)
	for range 400 {
		for _, to := range ada.open("/admin/backups").links() {
			if strings.HasSuffix(to, "/file") {
				return to
			}
		}
		time.Sleep(50 * time.Millisecond) // the worker looks every five seconds
	}
	t.Fatalf("none was made in 20 s: %s", testkit.Parse(t, ada.open("/admin/backups").body).Text("main"))
	return ""
}

func TestABackupOfOneProcessIsTakenOutAndDeletedAtAnother(t *testing.T) {
	t.Parallel()
	bucket := testkit.NewBucket(t)
	url := testkit.Postgres(t)
	one := serve(t, "PORTAL_DATABASE_URL", url, "PORTAL_STORAGE_URL", bucket.URL)
	ada := firstAdmin(t, one)
	file := askBackup(t, ada)
	if left, err := os.ReadDir(filepath.Join(one.DataDir, "backups")); err != nil || len(left) != 0 {
		t.Errorf("on the machine lie %v, %v", left, err)
	}
	ada.p = serve(t, "PORTAL_DATABASE_URL", url, "PORTAL_STORAGE_URL", bucket.URL)
	taken := ada.get(file).body
	if _, err := zip.NewReader(bytes.NewReader(taken), int64(len(taken))); err != nil {
		t.Errorf("%d bytes come from the other: %v", len(taken), err)
	}
	page := ada.open("/admin/backups")
	bucket.Away(true)
	if words := testkit.Parse(t, ada.open("/admin/backups").body).Text(".backups"); !strings.Contains(words, "Not reached") {
		t.Errorf("while the bucket is away: %q", words)
	}
	bucket.Away(false)
	deletion := strings.TrimSuffix(file, "/file") + "/deletion"
	ada.submit(page.form(t, deletion), deletion, nil)
	if main := testkit.Parse(t, ada.open("/admin/backups").body); main.Has(".backups") || strings.Contains(main.Text("main"), "not on this machine") {
		t.Errorf("after the deletion: %q", main.Text("main"))
	}
	if got := ada.get(file); got.status != http.StatusNotFound {
		t.Errorf("after that its file answers %d", got.status)
	}
}

func TestABackupThatTheDeskAsksForIsMadeByTheServer(t *testing.T) {
	t.Parallel()
	p := serve(t)
	ada := newWatch(p.URL).newPerson(t, p)
	link := strings.TrimPrefix(p.FirstAdmin, p.URL)
	ada.submit(ada.open(link).form(t, link), link, nil)
	const welcome = "/account/welcome"
	if got := ada.submit(ada.open(welcome).form(t, welcome), welcome, map[string]string{"name": "Ada", "email": "ada@example.org"}); got.location != "/admin/setup" {
		t.Fatalf("the first admin is led to %q", got.location)
	}
	file := askBackup(t, ada)
	archive := filepath.Join(t.TempDir(), "portal.zip")
	if err := os.WriteFile(archive, ada.get(file).body, 0o600); err != nil {
		t.Fatal(err)
	}
	q := newEmptyPortal(t, "")
	if code, said, errOut := q.run("restore", archive); code != 0 || !strings.Contains(said, "ended were sessions: 1, unused sign-in links and invitations: 0\n") {
		t.Fatalf("restoring it: %d, %s%s", code, said, errOut)
	}
	if code, said, _ := q.run("doctor"); code != 0 {
		t.Errorf("the restored portal is not sound:\n%s", said)
	}
}
