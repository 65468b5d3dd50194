package testkit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// actionTimeout is how long a browser may take for one step: long enough for a
// busy machine, since waiting costs nothing when all is well.
const actionTimeout = 30 * time.Second

// lastMessage is what a browser writes to its console itself when its test ends.
const lastMessage = "the test has ended"

//go:embed axe/axe.min.js
var axeSource string

// Browser is a window of Chromium with cookies and storage of its own, for one
// test. Each method ends the test when it cannot do what it says. Selectors are
// CSS; an element that is not there yet is waited for.
//
// What the page writes to its console as a warning or an error, a failed request
// and an exception included, fails the test when it ends.
type Browser struct {
	tb  testing.TB
	ctx context.Context //nolint:containedctx // how chromedp names a tab

	mu      sync.Mutex
	console []string
	allowed []string
}

// NewBrowser opens a window, in a Chromium that is started once in a test
// process and ends with it.
func NewBrowser(tb testing.TB) *Browser {
	tb.Helper()
	process, err := startChromium()
	if errors.Is(err, errNoChromium) {
		missing(tb, "%v", err)
	}
	if err != nil {
		tb.Fatalf("starting Chromium: %v", err)
	}
	ctx, cancel := chromedp.NewContext(process.ctx, chromedp.WithNewBrowserContext())
	b := &Browser{tb: tb, ctx: ctx}
	// Several windows are open at the same time, and each is to be the one that has the focus.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		tb.Fatalf("browser: focus: %v", err)
	}
	messages := chromedp.Console(ctx)
	heard, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Text == lastMessage {
				close(heard)
				return
			}
			b.hear(m)
		}
	}()
	tb.Cleanup(func() {
		// What the page wrote may still be on its way here. Messages come in
		// order: with the last of them all have come.
		b.do("end", chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void console.debug(%q)", lastMessage)))
		select {
		case <-heard:
		case <-time.After(actionTimeout):
			tb.Error("browser: the console did not come to its end")
		}
		cancel()
		<-done
		for _, message := range b.unexpected() {
			tb.Errorf("browser console: %s", message)
		}
	})
	return b
}

func (b *Browser) hear(m chromedp.ConsoleMessage) {
	switch m.Type {
	case chromedp.ConsoleWarning, chromedp.ConsoleError, chromedp.ConsoleException, "assert":
		b.mu.Lock()
		defer b.mu.Unlock()
		b.console = append(b.console, fmt.Sprintf("%s (%s:%d)", m, m.URL, m.Line+1))
	case chromedp.ConsoleLog, chromedp.ConsoleDebug, chromedp.ConsoleInfo:
	}
}

func (b *Browser) unexpected() (messages []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, message := range b.console {
		for _, part := range b.allowed {
			if strings.Contains(message, part) {
				continue next
			}
		}
		messages = append(messages, message)
	}
	return messages
}

// AllowConsole lets messages of the console pass that contain part, such as
// "status of 422" where a form is refused on purpose.
func (b *Browser) AllowConsole(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, part)
}

// Open loads an address and returns the status of its answer.
func (b *Browser) Open(url string) int {
	b.tb.Helper()
	return b.arrive("open "+url, chromedp.Navigate(url))
}

// Follow clicks on what leads to another page, a link or the button of a form,
// waits until that page is loaded and returns its status.
func (b *Browser) Follow(selector string) int {
	b.tb.Helper()
	return b.arrive("follow "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Submit sends the form that the element is, or is in, as a press on the element
// would when it is a button, else as Enter: the browser's own checks apply. It waits for the next page and returns its status.
func (b *Browser) Submit(selector string) int {
	b.tb.Helper()
	script := fmt.Sprintf(`(e => (e.form ?? e.closest("form")).requestSubmit(e.type === "submit" ? e : null))(document.querySelector(%q))`, selector)
	return b.arrive("submit "+selector, chromedp.WaitReady(chromedp.CSS(selector)), chromedp.Evaluate[chromedp.Void](script))
}

func (b *Browser) arrive(what string, steps ...chromedp.Action[chromedp.Void]) int {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.tb.Fatalf("browser: %s: %v", what, err)
	}
	if response == nil {
		return 0 // about:blank and data: have no answer
	}
	return int(response.Status)
}

// Click clicks on an element without waiting for what comes of it.
func (b *Browser) Click(selector string) {
	b.tb.Helper()
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Fill replaces what is in a field by typing value, so that scripts hear it.
func (b *Browser) Fill(selector, value string) {
	b.tb.Helper()
	b.do("fill "+selector,
		chromedp.WaitVisible(chromedp.CSS(selector)),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).value = ''", selector)),
		chromedp.SendKeys(chromedp.CSS(selector), value, chromedp.NodeVisible))
}

// Keys sends keys to the element that has the focus; the constants of
// chromedp/kb name those that are not characters.
func (b *Browser) Keys(keys string) {
	b.tb.Helper()
	b.do("keys", chromedp.KeyEvent(keys))
}

// WaitFor waits until the element can be seen.
func (b *Browser) WaitFor(selector string) {
	b.tb.Helper()
	b.do("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Text returns the text of an element as it is shown.
func (b *Browser) Text(selector string) string {
	b.tb.Helper()
	return strings.TrimSpace(run(b, "text of "+selector, chromedp.Text(chromedp.CSS(selector))))
}

// Count returns how many elements match at this moment.
func (b *Browser) Count(selector string) int {
	b.tb.Helper()
	return Eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
}

// URL returns the address of the page.
func (b *Browser) URL() string {
	b.tb.Helper()
	return run(b, "address", chromedp.Location())
}

// Eval runs a JavaScript expression in the page and returns its value; of a
// promise, what it resolves to.
func Eval[T any](b *Browser, expression string) T {
	b.tb.Helper()
	return run(b, "script", chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Resize gives the page a size in CSS pixels.
func (b *Browser) Resize(width, height int) {
	b.tb.Helper()
	b.do("resize", chromedp.EmulateViewport(int64(width), int64(height)))
}

// EmulateDark makes the browser one whose user prefers dark pages, or light ones.
func (b *Browser) EmulateDark(on bool) {
	b.tb.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.media(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})
}

// media also asks for no motion: a picture in the middle of an animation is
// another one each time.
func (b *Browser) media(scheme *emulation.MediaFeature) {
	b.tb.Helper()
	still := &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{scheme, still}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, params); err != nil {
		b.tb.Fatalf("browser: media: %v", err)
	}
}

// DisableScripts makes the browser one without JavaScript, from the next page on.
func (b *Browser) DisableScripts() {
	b.tb.Helper()
	params := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, params); err != nil {
		b.tb.Fatalf("browser: disable scripts: %v", err)
	}
}

// Authenticator is a device of the browser's that keeps passkeys and recognises its user.
type Authenticator struct {
	b  *Browser
	id webauthn.AuthenticatorID
}

// AddAuthenticator gives the browser a device for passkeys, whose user is there whenever it asks.
func (b *Browser) AddAuthenticator() Authenticator {
	b.tb.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.tb.Fatalf("browser: passkeys: %v", err)
	}
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, AutomaticPresenceSimulation: true, IsUserVerified: true,
	}})
	if err != nil {
		b.tb.Fatalf("browser: passkeys: %v", err)
	}
	return Authenticator{b, added.AuthenticatorID}
}

// Recognise says whether the device recognises its user from now on.
func (a Authenticator) Recognise(user bool) {
	a.b.tb.Helper()
	params := webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: user}
	if _, err := chromedp.Call(a.b.ctx, webauthn.SetUserVerified, params); err != nil {
		a.b.tb.Fatalf("browser: passkeys: %v", err)
	}
}

// Screenshot writes a PNG of the whole page, at a width in CSS pixels and a
// window that is height high, light or dark. Folders are made.
func (b *Browser) Screenshot(path string, width, height int, dark bool) {
	b.tb.Helper()
	b.Resize(width, height)
	b.EmulateDark(dark)
	png := run(b, "screenshot", chromedp.FullScreenshot(100))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		b.tb.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o600); err != nil {
		b.tb.Fatal(err)
	}
}

// Violation is a rule of accessibility that the page breaks, as axe-core tells it.
type Violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         []any // a selector; inside a frame or shadow tree a list of them
		HTML           string
		FailureSummary string
	}
}

// String gives the rule and every place that breaks it, one a paragraph.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n  %v\n    %s\n    %s", n.Target, n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
	}
	return b.String()
}

// Axe checks the page with every rule of axe-core, its best practices included.
// It needs a window in which scripts run.
func (b *Browser) Axe() []Violation {
	b.tb.Helper()
	b.do("axe", chromedp.Evaluate[chromedp.Void](axeSource))
	return Eval[[]Violation](b, `axe.run({resultTypes: ["violations"]}).then(r => r.violations)`)
}

func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.tb.Fatalf("browser: %s: %v", what, err)
	}
}

func run[T any](b *Browser, what string, action chromedp.Action[T]) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.tb.Fatalf("browser: %s: %v", what, err)
	}
	return value
}

var errNoChromium = errors.New("chromium (Debian package chromium)")

var startChromium = sync.OnceValues(newChromium)

// chromium is a running browser.
type chromium struct {
	ctx   context.Context //nolint:containedctx // how chromedp names a browser; its children are windows
	alive io.Closer
}

// newChromium starts the browser. It dies with this process; its profile is removed by a shell that
// waits for that.
func newChromium() (*chromium, error) {
	path := find([]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, nil)
	if path == "" {
		return nil, errNoChromium
	}
	profile, err := os.MkdirTemp("", "portal-chromium-")
	if err != nil {
		return nil, err
	}
	// Helper processes of a dying browser may still write: until they are gone
	// the folder may come back.
	clean := exec.Command("sh", "-c", `trap '' INT HUP; cat >/dev/null; for i in $(seq 20); do rm -rf "$1"; sleep 0.5; done`, "sh", profile) //nolint:noctx // outlives every context: attend
	alive, err := attend(clean)
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	return &chromium{ctx: ctx, alive: alive}, chromedp.Do(ctx)
}
