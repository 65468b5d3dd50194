package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cdfoundation/portal/internal/database"
	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
)

// balancer hands requests to several processes in turn, as proxies do that know nothing of them but whether they are ready. One
// that a process did not get, or that may be sent twice, goes to the next.
type balancer struct {
	backends  []*backend
	turn      atomic.Uint64
	transport *http.Transport
	failed    sync.Map // address of a backend → *atomic.Int64: requests that were lost there
}

type backend struct {
	address string // HOST:PORT
	ready   atomic.Bool
}

// balancerPoll is how often a balancer asks whether a process is ready.
const balancerPoll = 200 * time.Millisecond

func newBalancer(t *testing.T) (b *balancer, base string) {
	t.Helper()
	b = &balancer{transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "portal", r.In.Host
		},
		Transport: b,
		ErrorLog:  log.New(io.Discard, "", 0), // what is lost is counted
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(func() { server.Close(); b.transport.CloseIdleConnections() })
	return b, server.URL
}

// watch asks the processes whether they are ready until the test ends.
func (b *balancer) watch(t *testing.T, processes ...*process) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	for _, p := range processes {
		base := p.url // stays, though the process writes it anew when it is restarted
		one := &backend{address: strings.TrimPrefix(base, "http://")}
		one.ready.Store(true)
		b.backends = append(b.backends, one)
		asking.Go(func() {
			for ctx.Err() == nil {
				one.ready.Store(isReady(ctx, base))
				select {
				case <-ctx.Done():
				case <-time.After(balancerPoll):
				}
			}
		})
	}
	t.Cleanup(func() { stop(); asking.Wait() })
}

func isReady(ctx context.Context, base string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := stranger.Do(request)
	return err == nil && closed(response.Body, nil) == nil && response.StatusCode == http.StatusOK
}

// RoundTrip sends a request to the process whose turn it is.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	err := errors.New("no process is ready")
	turn := int(b.turn.Add(1) % uint64(len(b.backends)))
	for _, one := range slices.Concat(b.backends[turn:], b.backends[:turn]) {
		if !one.ready.Load() {
			continue
		}
		try := r.Clone(r.Context())
		try.URL.Host = one.address
		try.Body, try.GetBody = io.NopCloser(bytes.NewReader(body)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		var response *http.Response
		if response, err = b.transport.RoundTrip(try); err == nil {
			return response, nil
		}
		if op, ok := errors.AsType[*net.OpError](err); !safe && (!ok || op.Op != "dial") {
			count, _ := b.failed.LoadOrStore(one.address, new(atomic.Int64))
			count.(*atomic.Int64).Add(1) //nolint:errcheck // the map holds nothing else
			return nil, err
		}
	}
	return nil, err
}

// lost is how many requests were lost at a process.
func (b *balancer) lost(p *process) int64 {
	if count, ok := b.failed.Load(strings.TrimPrefix(p.url, "http://")); ok {
		return count.(*atomic.Int64).Load() //nolint:errcheck // the map holds nothing else
	}
	return 0
}

// machines are three processes that serve and two that work, on one PostgreSQL and one bucket, behind a balancer.
type machines struct {
	base     string // the balancer's
	database string
	balancer *balancer
	web      []*process
	workers  []*process
	commands *portal
	mailbox  *testkit.Mailbox
}

// newMachines starts them all at the same time, on a database without tables.
func newMachines(t *testing.T) *machines {
	t.Helper()
	m := &machines{database: testkit.Postgres(t), mailbox: testkit.NewMailbox(t)}
	m.balancer, m.base = newBalancer(t)
	uploads := testkit.NewBucket(t).URL
	one := func(flag string) *process {
		p := &process{t: t, flags: []string{flag}, env: []string{
			"PORTAL_DATA_DIR=" + t.TempDir(), "PORTAL_DATABASE_URL=" + m.database, "PORTAL_STORAGE_URL=" + uploads, "PORTAL_BASE_URL=" + m.base,
			"PORTAL_SMTP_URL=" + m.mailbox.URL, "PORTAL_TRUSTED_PROXIES=127.0.0.1", "PORTAL_DRAIN=1s",
		}}
		p.launch()
		return p
	}
	for range 3 {
		m.web = append(m.web, one("--web-only"))
	}
	for range 2 {
		m.workers = append(m.workers, one("--worker-only"))
	}
	for _, p := range append(m.web, m.workers...) {
		p.listen()
		p.env = append(p.env, "PORTAL_ADDR="+strings.TrimPrefix(p.url, "http://")) // where it comes back
	}
	m.balancer.watch(t, m.web...)
	m.commands = &portal{URL: m.base, env: map[string]string{"PORTAL_DATA_DIR": t.TempDir(), "PORTAL_DATABASE_URL": m.database, "PORTAL_STORAGE_URL": uploads, "PORTAL_BASE_URL": m.base}}
	return m
}

func (m *machines) open(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), m.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// at is the portal as one of its processes serves it.
func at(p *process) *portal { return &portal{URL: p.url} }

// signedIn is somebody new with an account and a session, whose requests go to one of the processes.
func (m *machines) signedIn(t *testing.T, p *process, name, role string) *person {
	t.Helper()
	first, _, _ := strings.Cut(name, " ")
	code, link, errOut := m.commands.run("user", "add", "--email", strings.ToLower(first)+"@example.org", "--name", name, "--role", role)
	if code != 0 {
		t.Fatal(errOut)
	}
	someone := newWatch(m.base).newPerson(t, at(p))
	signIn := "/login/" + path.Base(strings.TrimSpace(link))
	someone.submit(someone.open(signIn).form(t, signIn), signIn, nil)
	return someone
}

// number asks the database for one.
func number(t *testing.T, db *database.DB, query string) (n int) {
	t.Helper()
	if err := db.Reader.Raw(query).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSeveralMachinesAreOnePortal(t *testing.T) { //nolint:tparallel // its parts follow one another
	t.Parallel()
	m := newMachines(t)
	t.Run("a session holds at all of them, and what one publishes the others show", func(t *testing.T) {
		sam := m.signedIn(t, m.web[0], "Sam Quux", "staff")
		for _, p := range m.web[1:] {
			sam.p = at(p)
			if page := sam.open("/account"); !strings.Contains(textOf(page.root), "Sam Quux") {
				t.Errorf("at %s Sam is a stranger", p.url)
			}
		}
		visitor := func(p *process) string { _, body := at(p).get(t, "/blog"); return string(body) }
		for range 2 { // the second comes from what was kept
			for _, p := range m.web {
				visitor(p)
			}
		}
		post := sam.submit(sam.open("/admin/posts/new").form(t, "/admin/posts"), "/admin/posts",
			map[string]string{"title": "Three of us", "excerpt": "One portal.", "body": "By Sam.", "intent": "review"})
		publish := path.Dir(post.location) + "/publication"
		sam.submit(sam.open(post.location).form(t, publish), publish, nil)
		for _, p := range m.web {
			until(t, "the post at "+p.url, func() bool { return strings.Contains(visitor(p), "Three of us") })
		}
	})
	ada := m.signedIn(t, m.web[0], "Ada Quux", "admin")
	t.Run("a picture that one took the others show", func(t *testing.T) {
		path := uploadLogo(t, ada, newPicture(t, 60))
		_, want := at(m.web[0]).get(t, path)
		if _, format, err := image.DecodeConfig(bytes.NewReader(want)); err != nil {
			t.Errorf("it shows no picture but %q: %v", format, err)
		}
		for _, p := range m.web[1:] {
			if response, got := at(p).get(t, path); response.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
				t.Errorf("%s answers %d with %d bytes, want %d", p.url, response.StatusCode, len(got), len(want))
			}
		}
	})
	t.Run("the page of health says whose figures it shows", func(t *testing.T) {
		for _, p := range m.web {
			ada.p = at(p)
			page := textOf(ada.open("/admin/health").root)
			if !strings.Contains(page, fmt.Sprintf("process %d. Others may run beside it", p.cmd.Process.Pid)) || !strings.Contains(page, "Bucket of uploads") {
				t.Errorf("at %s it says %s", p.url, page)
			}
		}
	})
	t.Run("a burst goes on while one is killed and the others are restarted", m.burst)
	t.Run("a backup that is due is made once", func(t *testing.T) {
		db := m.open(t)
		if err := db.Writer.Exec("UPDATE settings SET value = '2026-01-01T00:00:00Z' WHERE key = 'backup_since'").Error; err != nil {
			t.Fatal(err)
		}
		until(t, "a good backup", func() bool { return number(t, db, "SELECT count(*) FROM backups WHERE state = 'good'") > 0 })
		address, err := url.Parse(m.commands.env["PORTAL_STORAGE_URL"])
		if err != nil {
			t.Fatal(err)
		}
		bucket, err := storage.NewBucket(address, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer bucket.Close() //nolint:errcheck // nothing is written
		files, err := storage.Backups{Dir: t.TempDir(), Bucket: bucket}.Sizes(t.Context())
		if rows := number(t, db, "SELECT count(*) FROM backups"); err != nil || rows != 1 || len(files) != 1 {
			t.Errorf("%d backups were noted and the bucket holds %v (%v), want one", rows, files, err)
		}
		for _, p := range m.web {
			ada.p = at(p)
			if page := textOf(ada.open("/admin/backups").root); !strings.Contains(page, "Download") {
				t.Errorf("%s does not hand it out: %s", p.url, page)
			}
		}
	})
	t.Run("one that only works can be asked how it is", func(t *testing.T) {
		p := &portal{URL: m.workers[0].url}
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/admin": 404} {
			if answer, _ := p.get(t, path); answer.StatusCode != want {
				t.Errorf("GET %s = %s, want %d", path, answer.Status, want)
			}
		}
		_, figures := p.get(t, "/metrics")
		for _, name := range []string{"portal_mail_attempt_seconds", "portal_storage_requests_total"} {
			if !strings.Contains(string(figures), name) {
				t.Errorf("its figures lack %s", name)
			}
		}
	})
}

// burst lets people come until every process was restarted, one of them after a SIGKILL, and counts what became of them.
func (m *machines) burst(t *testing.T) {
	const seats, least, crews = 1000, 5000, 24
	if code, _, said := m.commands.run("content", "import", newRush(t, seats)); code != 0 {
		t.Fatalf("import: %s", said)
	}
	var came, got, full, again atomic.Int64
	var answered, links sync.Map // e-mail → link, and the other way round
	var restarted atomic.Bool
	var people sync.WaitGroup
	for crew := range crews {
		people.Go(func() {
			for n := 0; !restarted.Load() || came.Load() < least; n++ {
				came.Add(1)
				email := fmt.Sprintf("crew%d-%d@example.org", crew, n)
				status, location, err := register(m.base, email, "build")
				for tries := 0; err == nil && status == http.StatusBadGateway && tries < 5; tries++ {
					again.Add(1) // the page that the browser still shows is sent once more
					status, location, err = register(m.base, email, "build")
				}
				switch {
				case err == nil && status == http.StatusSeeOther:
					got.Add(1)
					answered.Store(email, location)
					if other, taken := links.LoadOrStore(location, email); taken {
						t.Errorf("%s and %s got the same link", email, other)
					}
				case err == nil && status == http.StatusConflict:
					full.Add(1)
				default:
					t.Errorf("%s: %d, %v", email, status, err)
				}
				if n%5 == 0 {
					if status, err := visit(m.base + "/events/rush"); err != nil || status != http.StatusOK {
						t.Errorf("the event's page: %d, %v", status, err)
					}
				}
				time.Sleep(15 * time.Millisecond) // a crowd, no flood: other tests want the machine as well
			}
		})
	}
	func() {
		defer restarted.Store(true)
		until(t, "a crowd", func() bool { return got.Load() >= 40 })
		killed := m.web[0]
		_ = killed.end(syscall.SIGKILL) // it says that it was killed
		for _, p := range append(m.web[1:2:2], m.workers[0], m.web[2]) {
			if err := p.end(syscall.SIGTERM); err != nil {
				t.Errorf("told to stop: %v\n%s", err, p.logs)
			}
			p.launch()
			p.listen()
			until(t, "ready again", func() bool { return isReady(t.Context(), p.url) })
			time.Sleep(2 * balancerPoll) // as rolling restarts wait for the balancer, which asks that often
		}
		killed.launch()
		killed.listen()
	}()
	people.Wait()
	t.Logf("%d came, %d got a seat, %d were told that it is full; %d were lost at the process that was killed, sent %d times more",
		came.Load(), got.Load(), full.Load(), m.balancer.lost(m.web[0]), again.Load())
	for _, p := range m.web[1:] {
		if lost := m.balancer.lost(p); lost > 0 {
			t.Errorf("%d requests were lost at a process that was restarted", lost)
		}
	}
	db := m.open(t)
	if taken := number(t, db, "SELECT count(*) FROM registrations WHERE status = 'confirmed'"); taken != seats || got.Load() != seats {
		t.Errorf("%d seats are taken and %d were told so, want %d", taken, got.Load(), seats)
	}
	if different := number(t, db, "SELECT count(DISTINCT email_key) FROM registrations"); different != seats {
		t.Errorf("%d people have them", different)
	}
	answered.Range(func(email, _ any) bool {
		var rows int
		if err := db.Reader.Raw("SELECT count(*) FROM registrations WHERE email = ? AND status = 'confirmed'", email).Scan(&rows).Error; err != nil || rows != 1 {
			t.Errorf("%s was answered and has %d registrations: %v", email, rows, err)
		}
		return true
	})
	until(t, "every mail sent", func() bool { return number(t, db, "SELECT count(*) FROM mails WHERE sent_at IS NULL") == 0 })
	told := map[string]int{}
	for _, mail := range m.mailbox.Received() {
		for _, to := range mail.To {
			told[to]++
		}
	}
	for to, mails := range told {
		if _, ok := answered.Load(to); ok && mails != 1 {
			t.Errorf("%s got %d mails", to, mails)
		}
	}
	answered.Range(func(email, _ any) bool {
		if told[fmt.Sprint(email)] == 0 {
			t.Errorf("%s got no mail", email)
		}
		return true
	})
	if tries := number(t, db, "SELECT max(attempts) FROM mails"); tries != 1 {
		t.Errorf("a mail was tried %d times", tries)
	}
	if code, out, _ := m.commands.run("doctor"); code != 0 {
		t.Errorf("doctor after the burst:\n%s", out)
	}
}

// visit fetches a page as one of the crowd.
func visit(address string) (status int, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	response, err := crowd.Do(&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, closed(response.Body, err)
}

func TestAWorkerWorksThoughItsAddressIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // nobody asked it anything
	mailbox := testkit.NewMailbox(t)
	address := testkit.PostgresURL(t)
	worker := &process{t: t, flags: []string{"--worker-only"}, env: []string{
		"PORTAL_DATA_DIR=" + t.TempDir(), "PORTAL_DATABASE_URL=" + address, "PORTAL_BASE_URL=https://community.example.org",
		"PORTAL_SMTP_URL=" + mailbox.URL, "PORTAL_ADDR=" + taken.Addr().String(), "PORTAL_LOG_LEVEL=warn",
	}}
	worker.launch()
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read from
	until(t, "the work begun", func() bool { return number(t, db, "SELECT count(*) FROM job_runs WHERE name = 'mail'") == 1 })
	if err := worker.end(os.Interrupt); err != nil {
		t.Errorf("told to stop: %v", err)
	}
	if !strings.Contains(worker.logs.String(), "nobody can ask this process how it is") {
		t.Errorf("it said: %s", worker.logs)
	}
}

func TestAfterARestartOfPostgreSQLNoPageStaysAsItWas(t *testing.T) {
	t.Parallel()
	address, restart := testkit.RestartablePostgres(t)
	p := serve(t, "PORTAL_DATABASE_URL", address)
	_, before := p.get(t, "/events")
	restart()
	if code, _, errOut := p.run("content", "remove-sample"); code != 0 { // likely before the server listens again
		t.Fatal(errOut)
	}
	until(t, "the events without the sample's", func() bool {
		response, after := p.get(t, "/events")
		return response.StatusCode == http.StatusOK && !bytes.Equal(after, before)
	})
	_, before = p.get(t, "/events")
	if code, _, errOut := p.run("content", "import", newRush(t, 1)); code != 0 {
		t.Fatal(errOut)
	}
	until(t, "what changed later", func() bool {
		_, after := p.get(t, "/events")
		return !bytes.Equal(after, before)
	})
}
