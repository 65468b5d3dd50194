package testkit

import (
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const formPage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Form</title><link rel="icon" href="data:,">
<style>body,h1{margin:0} body{background:#fff;height:900px} @media (prefers-color-scheme:dark){body{background:#000;color:#fff}}</style></head>
<body><main><h1>Who are you?</h1><form action="/hello" method="post">
<label for="name">Name</label> <input id="name" name="name" value="old" required> <button>Send</button></form>
<p id="script">scripts are off</p><a href="/missing">Missing</a></main>
<script src="/app.js"></script></body></html>`

func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'; img-src data:")
		_, _ = w.Write([]byte(formPage))
	})
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte(`document.getElementById("script").textContent = "scripts are on"`))
	})
	mux.HandleFunc("POST /hello", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", Path: "/"})
		_, _ = w.Write([]byte(`<!doctype html><html lang=en><title>Hello</title><link rel=icon href="data:,"><h1>Hello, ` + r.FormValue("name") + `</h1>`))
	})
	mux.HandleFunc("GET /faulty", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<!doctype html><html><title></title><link rel=icon href="data:,"><img src="data:,"><script>console.error("boom"); nothing.at.all</script>`))
	})
	mux.HandleFunc("GET /injected", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		_, _ = w.Write([]byte(`<!doctype html><html lang=en><title>Injected</title><p>Hello, <script>window.pwned=1</script></p>`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAPersonFillsInAFormWithScriptsAndWithout(t *testing.T) {
	url := site(t)
	for _, scripts := range []string{"on", "off"} {
		t.Run(scripts, func(t *testing.T) {
			b := NewBrowser(t)
			if scripts == "off" {
				b.DisableScripts()
			}
			if status := b.Open(url + "/form"); status != http.StatusOK {
				t.Errorf("status = %d", status)
			}
			if got := b.Text("#script"); got != "scripts are "+scripts {
				t.Errorf("the page says %q", got)
			}
			b.Fill("#name", "Ada")
			if scripts == "on" {
				b.Submit("#name")
			} else {
				b.Follow("button")
			}
			if got := b.Text("h1"); got != "Hello, Ada" {
				t.Errorf("greeted with %q", got)
			}
			if got := b.URL(); got != url+"/hello" {
				t.Errorf("at %s", got)
			}
		})
	}
}

func TestWindowsShareNoCookies(t *testing.T) {
	url := site(t)
	one, two := NewBrowser(t), NewBrowser(t)
	one.Open(url + "/form")
	one.Follow("button")
	two.Open(url + "/form")
	if got := Eval[string](one, "document.cookie"); got != "seen=1" {
		t.Errorf("cookie of the first window = %q", got)
	}
	if got := Eval[string](two, "document.cookie"); got != "" {
		t.Errorf("cookie of the second window = %q", got)
	}
}

func TestWhatThePageComplainsAboutFailsTheTestUnlessAllowed(t *testing.T) {
	url := site(t)

	faulty := &failures{TB: t}
	t.Run("faulty", func(t *testing.T) {
		faulty.TB = t
		NewBrowser(faulty).Open(url + "/faulty")
	})
	all := strings.Join(faulty.messages, "\n")
	if !strings.Contains(all, "boom") || !strings.Contains(all, "nothing is not defined") {
		t.Errorf("reported: %q, want the message and the exception", all)
	}

	missing := &failures{TB: t}
	t.Run("missing page", func(t *testing.T) {
		missing.TB = t
		b := NewBrowser(missing)
		b.AllowConsole("status of 404")
		b.Open(url + "/form")
		if status := b.Follow("main a"); status != http.StatusNotFound {
			t.Errorf("status = %d, want 404", status)
		}
	})
	if len(missing.messages) != 0 {
		t.Errorf("reported what is allowed: %q", missing.messages)
	}
}

func TestAScriptThatThePolicyStopsFailsTheTest(t *testing.T) {
	url := site(t)
	injected := &failures{TB: t}
	t.Run("injected", func(t *testing.T) {
		injected.TB = t
		b := NewBrowser(injected)
		b.Open(url + "/injected")
		if Eval[bool](b, "window.pwned !== undefined") {
			t.Error("the script ran in spite of the policy")
		}
	})
	if all := strings.Join(injected.messages, "\n"); !strings.Contains(all, "Content Security Policy") {
		t.Errorf("reported: %q, want the violation", all)
	}
}

func TestAxeFindsWhatIsWrongAndNothingElse(t *testing.T) {
	url := site(t)
	b := NewBrowser(t)
	b.Open(url + "/form")
	for _, v := range b.Axe() {
		t.Errorf("a good page: %s", v)
	}

	b.AllowConsole("/faulty")
	b.Open(url + "/faulty")
	var found []string
	for _, v := range b.Axe() {
		found = append(found, v.ID)
		if len(v.Nodes) == 0 || !strings.Contains(v.String(), v.Nodes[0].HTML) {
			t.Errorf("%s does not tell where", v)
		}
	}
	for _, want := range []string{"image-alt", "html-has-lang", "document-title"} {
		if !strings.Contains(strings.Join(found, " "), want) {
			t.Errorf("found %v, want %s among them", found, want)
		}
	}
}

func TestAPictureHasTheWidthAskedForAndTheScheme(t *testing.T) {
	url := site(t)
	b := NewBrowser(t)
	b.Open(url + "/form")
	for _, tt := range []struct {
		name string
		dark bool
		want uint32
	}{{"light", false, 0xffff}, {"dark", true, 0}} {
		path := filepath.Join(t.ArtifactDir(), tt.name, "form.png")
		b.Screenshot(path, 390, 600, tt.dark)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size.X != 390 || size.Y != 900 {
			t.Errorf("%s: size %v, want 390 by the page's 900", tt.name, size)
		}
		if r, _, _, _ := picture.At(389, 899).RGBA(); r != tt.want {
			t.Errorf("%s: background %x, want %x", tt.name, r, tt.want)
		}
	}
}
