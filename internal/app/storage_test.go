package app_test

import (
	"bytes"
	"image"
	_ "image/jpeg" // what the portal may make of a picture
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdfoundation/portal/internal/testkit"
)

// firstAdmin signs the first admin in and has them say who they are.
func firstAdmin(t *testing.T, p *portal) *person {
	t.Helper()
	ada := newWatch(p.URL).newPerson(t, p)
	link := strings.TrimPrefix(p.FirstAdmin, p.URL)
	ada.submit(ada.open(link).form(t, link), link, nil)
	const welcome = "/account/welcome"
	ada.submit(ada.open(welcome).form(t, welcome), welcome, map[string]string{"name": "Ada", "email": "ada@example.org"})
	return ada
}

// newPicture is a PNG that no other call of a test makes: each has its own width.
func newPicture(t *testing.T, width int) file {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 40))); err != nil {
		t.Fatal(err)
	}
	return file{"logo.png", b.Bytes()}
}

// uploadLogo uploads a logo in the desk and returns its address.
func uploadLogo(t *testing.T, a *person, logo file) (path string) {
	t.Helper()
	const settings = "/admin/settings"
	if got := a.upload(a.open(settings).form(t, settings), settings, nil, map[string]file{"logo": logo}); got.status != http.StatusSeeOther {
		t.Fatalf("the upload answers %d: %s", got.status, testkit.Parse(t, got.body).Text("main"))
	}
	path = testkit.Parse(t, a.open(settings).body).Attr(".logo-now img", "src")
	if !strings.HasPrefix(path, "/media/") {
		t.Fatalf("the logo is at %q", path)
	}
	return path
}

func TestAPictureThatOneProcessTookIsShownByAnother(t *testing.T) {
	t.Parallel()
	bucket := testkit.NewBucket(t)
	url := testkit.Postgres(t)
	one := serve(t, "PORTAL_DATABASE_URL", url, "PORTAL_STORAGE_URL", bucket.URL)
	ada := firstAdmin(t, one)
	other := serve(t, "PORTAL_DATABASE_URL", url, "PORTAL_STORAGE_URL", bucket.URL)
	path := uploadLogo(t, ada, newPicture(t, 60))
	_, want := one.get(t, path)
	if _, format, err := image.DecodeConfig(bytes.NewReader(want)); err != nil {
		t.Errorf("it shows no picture but %q: %v", format, err)
	}
	if response, got := other.get(t, path); response.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("the other answers %d with %d bytes, want %d", response.StatusCode, len(got), len(want))
	}
	if left, err := os.ReadDir(filepath.Join(one.DataDir, "media")); err == nil {
		t.Errorf("beside the bucket there is a folder with %d uploads", len(left))
	}
}

func TestABucketThatIsAwayTakesOnlyThePicturesWithIt(t *testing.T) {
	t.Parallel()
	bucket := testkit.NewBucket(t)
	p := serve(t, "PORTAL_STORAGE_URL", bucket.URL)
	ada := firstAdmin(t, p)
	path := uploadLogo(t, ada, newPicture(t, 60))
	if code, out, _ := p.run("doctor"); code != 0 {
		t.Errorf("doctor:\n%s", out)
	}

	bucket.Away(true)
	response, body := p.get(t, path)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || response.Header.Get("Cache-Control") != "no-store" ||
		strings.Contains(response.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the picture answers %d with %v", response.StatusCode, response.Header)
	}
	if strings.Contains(string(body), "hush-hush") || strings.Contains(string(body), "127.0.0.1:") && strings.Contains(string(body), "uploads") {
		t.Errorf("the page tells of the bucket: %s", body)
	}
	for _, page := range []string{"/", "/events", "/readyz"} {
		if response, _ := p.get(t, page); response.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", page, response.StatusCode)
		}
	}
	const settings = "/admin/settings"
	got := ada.upload(ada.open(settings).form(t, settings), settings, map[string]string{"about": "Typed meanwhile"}, map[string]file{"logo": newPicture(t, 61)})
	page := testkit.Parse(t, got.body)
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(page.Text(".uploader"), "cannot be kept at the moment") || !strings.Contains(string(got.body), "Typed meanwhile") {
		t.Errorf("an upload answers %d: %s", got.status, page.Text("main"))
	}
	if code, out, _ := p.run("doctor"); code != 1 || !strings.Contains(out, "PORTAL_STORAGE_URL: nothing can be written") || strings.Contains(out, "hush-hush") {
		t.Errorf("doctor: %d\n%s", code, out)
	}
	if code, _, errOut := p.run("backup", filepath.Join(t.TempDir(), "portal.zip")); code != 1 || !strings.Contains(errOut, "storage unavailable") {
		t.Errorf("a backup without the pictures: %d, %s", code, errOut)
	}
	if _, figures := p.get(t, "/metrics"); !strings.Contains(string(figures), `portal_storage_requests_total{operation="read",outcome="failed",success="false"} 1`) {
		t.Error("the figures do not tell of it")
	}

	bucket.Away(false)
	if response, _ := p.get(t, path); response.StatusCode != http.StatusOK {
		t.Errorf("when the bucket is back, the picture answers %d", response.StatusCode)
	}
	if later := uploadLogo(t, ada, newPicture(t, 61)); later == path {
		t.Error("the new logo was not taken")
	}
}

func TestABackupOfABucketFillsADirectoryAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	p := serve(t, "PORTAL_STORAGE_URL", testkit.NewBucket(t).URL)
	path := uploadLogo(t, firstAdmin(t, p), newPicture(t, 60))
	_, want := p.get(t, path)
	move := func(from, to *portal) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "portal.zip")
		if code, said, errOut := from.run("backup", file); code != 0 || !strings.Contains(said, "uploads: 1\n") {
			t.Fatalf("backup: %d, %s%s", code, said, errOut)
		}
		if code, said, errOut := to.run("restore", file); code != 0 || !strings.Contains(said, "uploads: 1\n") {
			t.Fatalf("restore: %d, %s%s", code, said, errOut)
		}
		to.start(t)
		if response, got := to.get(t, path); response.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
			t.Errorf("the picture answers %d with %d bytes, want %d", response.StatusCode, len(got), len(want))
		}
	}
	directory := newEmptyPortal(t, "")
	move(p, directory)
	if kept, err := os.ReadFile(filepath.Join(directory.DataDir, "media", strings.TrimPrefix(path, "/media/"))); err != nil || !bytes.Equal(kept, want) {
		t.Errorf("the file in the directory: %d bytes, %v", len(kept), err)
	}
	bucket := newEmptyPortal(t, "")
	bucket.env["PORTAL_STORAGE_URL"] = testkit.NewBucket(t).URL
	move(directory, bucket)
}

func TestTheSecretOfABucketMayLieInAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "storage_url")
	if err := os.WriteFile(file, []byte(testkit.NewBucket(t).URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "PORTAL_STORAGE_URL_FILE", file)
	if code, out, _ := p.run("doctor"); code != 0 {
		t.Errorf("doctor:\n%s", out)
	}
	p.env["PORTAL_STORAGE_URL"] = "file:media"
	if code, _, errOut := p.run("stats"); code != 1 || !strings.Contains(errOut, "PORTAL_STORAGE_URL and PORTAL_STORAGE_URL_FILE are both set") {
		t.Errorf("%d, %s", code, errOut)
	}
}
