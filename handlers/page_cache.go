package handlers

import (
	"bytes"
	"context"
	"hash/crc32"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/singleflight"

	"github.com/cdfoundation/portal/models"
)

// pageCache keeps the public answers as finished bytes for as long as nothing changes that visitors see. It is bounded by
// bytes; who was not asked for longest goes first.
type pageCache struct {
	fills singleflight.Group

	mu    sync.Mutex
	pages *simplelru.LRU[string, *cachedPage]
	bytes int

	hits, misses, evictions prometheus.Counter
}

const (
	pageCacheLimit = 64 << 20 // bytes, all pages together
	pageLimit      = 4 << 20  // bytes that one page may take before it is compressed
	pageOverhead   = 8 << 10  // bytes, about, of what belongs to a page beside its bodies
)

// newPageCache returns an empty cache that shows its figures to r.
func newPageCache(r prometheus.Registerer) (*pageCache, error) {
	p := new(pageCache)
	var err error
	if p.pages, err = simplelru.NewLRU(1<<20, func(_ string, page *cachedPage) { p.bytes -= page.size }); err != nil {
		return nil, err
	}
	requests := promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "portal_page_cache_requests_total", Help: "Requests that the page cache may answer, by result: hit, miss.",
	}, []string{"result"})
	p.hits, p.misses = requests.WithLabelValues("hit"), requests.WithLabelValues("miss")
	p.evictions = promauto.With(r).NewCounter(prometheus.CounterOpts{
		Name: "portal_page_cache_evictions_total", Help: "Pages that went because the cache was full.",
	})
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "portal_page_cache_bytes", Help: "What the pages of the cache take, in bytes; at most 67108864.",
	}, func() float64 {
		p.mu.Lock()
		defer p.mu.Unlock()
		return float64(p.bytes)
	})
	return p, nil
}

// get returns the page kept under key if it holds at a version.
func (p *pageCache) get(key string, version models.ContentVersion) *cachedPage {
	p.mu.Lock()
	page, ok := p.pages.Get(key)
	p.mu.Unlock()
	if !ok || page.version.Content != version.Content || page.seats && page.version.Seats != version.Seats {
		return nil
	}
	return page
}

// put keeps a page under key, in the place of another and of as many as it needs room of.
func (p *pageCache) put(key string, page *cachedPage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages.Remove(key)
	p.pages.Add(key, page)
	p.bytes += page.size
	for p.bytes > pageCacheLimit {
		p.pages.RemoveOldest()
		p.evictions.Inc()
	}
}

// cachedPage is a public answer in every form that clients ask for.
type cachedPage struct {
	version  models.ContentVersion // that it was made under
	seats    bool                  // it tells how many seats are taken
	route    string
	modified time.Time // zero when unknown
	size     int       // counted in the cache, in bytes
	whole    []byte
	forms    [len(codings)]pageForm

	compressible bool
}

// pageForm is a page in one coding of its content.
type pageForm struct {
	body      func() []byte // made when it is first asked for
	tag       string
	header    fasthttp.ResponseHeader
	unchanged fasthttp.ResponseHeader // for who has it
}

// codings are the forms of a body, the one that we like best first (RFC 9110, 8.4.1).
var codings = [...]string{"br", "gzip", ""}

// newCachedPage makes the page of a response to a request of a route.
func newCachedPage(version models.ContentVersion, seats bool, route string, r *fasthttp.Response) *cachedPage {
	page := &cachedPage{version: version, seats: seats, route: route, whole: bytes.Clone(r.Body()), compressible: compressible(&r.Header, r.Body())}
	page.modified, _ = http.ParseTime(string(r.Header.Peek(fiber.HeaderLastModified)))
	var said []byte
	for name, value := range r.Header.All() {
		said = append(append(said, name...), value...)
	}
	sum := func(of *crc32.Table) uint64 { return uint64(crc32.Update(crc32.Checksum(said, of), of, page.whole)) }
	hash := strconv.FormatUint(sum(castagnoli)<<32|sum(crc32.IEEETable), 36)
	for n, coding := range codings {
		form := &page.forms[n]
		form.body = sync.OnceValue(func() []byte { return encode(coding, page.whole) })
		r.Header.CopyTo(&form.header)
		form.tag = `"` + hash + `"`
		if coding != "" {
			form.header.Set(fiber.HeaderContentEncoding, coding)
			form.tag = `"` + hash + "-" + coding + `"`
		}
		form.header.Set(fiber.HeaderETag, form.tag)
		form.unchanged.SetStatusCode(http.StatusNotModified)
		for _, name := range stillSaid {
			if value := form.header.Peek(name); len(value) > 0 {
				form.unchanged.SetBytesV(name, value)
			}
		}
	}
	// The other forms are made when somebody asks for them; until then they count with what they take at most.
	page.size = pageOverhead + len(page.whole)*3/2
	return page
}

// stillSaid are the headers that an answer says again to whoever has the page: those that RFC 9110, 15.4.5, asks for, the date by which
// feed readers ask, and what is about the host. The others are kept with the page, and a page with others has another tag.
var stillSaid = []string{fiber.HeaderCacheControl, fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderVary, fiber.HeaderStrictTransportSecurity}

// form is the page in the best coding that a client takes.
func (p *cachedPage) form(accepted []byte) *pageForm {
	best := len(codings) - 1
	if p.compressible {
		best = slices.IndexFunc(codings[:], func(coding string) bool { return coding == "" || accepts(accepted, coding) })
	}
	return &p.forms[best]
}

// accepts reports whether an Accept-Encoding names a coding and does not refuse it (RFC 9110, 12.5.3).
func accepts(header []byte, coding string) bool {
	for part := range bytes.SplitSeq(header, []byte(",")) {
		name, weight, _ := bytes.Cut(part, []byte(";"))
		if strings.EqualFold(string(bytes.TrimSpace(name)), coding) {
			weight = bytes.TrimPrefix(bytes.TrimSpace(weight), []byte("q="))
			return len(weight) == 0 || len(bytes.Trim(weight, "0.")) > 0
		}
	}
	return false
}

// lookUp finds the page of the cache that answers a request, or says under which key and version it may be kept. Without a key
// the cache is not for the request.
func (a *App) lookUp(ctx context.Context, r *fasthttp.Request) (page *cachedPage, key string, version models.ContentVersion) {
	key, ok := a.cacheKey(r)
	if !ok {
		return nil, "", version
	}
	version, err := a.Store.ContentVersion(ctx)
	if err != nil {
		return nil, "", version // who asks next finds out what the matter is
	}
	if page = a.cache.get(key, version); page != nil {
		a.cache.hits.Inc()
	}
	return page, key, version
}

// fromCache answers a request before the router, if the cache holds the page. Spans are made behind the router, so with them
// nothing is answered here.
func (a *App) fromCache(c *fasthttp.RequestCtx) (kind answerKind, ok bool) {
	if a.Tracer != nil {
		return kind, false
	}
	defer func() { _ = recover() }() // what panics here does so again behind the router, where it becomes an answer
	page, _, _ := a.lookUp(context.Background(), &c.Request)
	if page == nil {
		return kind, false
	}
	page.send(&c.Request.Header, &c.Response)
	kind = answerKind{route: page.route, method: fiber.MethodGet}
	if c.IsHead() {
		kind.method = fiber.MethodHead
	}
	return kind, true
}

// cached answers from the cache what visitors without a session ask for, or keeps what is answered.
func (a *App) cached(c *fiber.Ctx) error {
	page, key, version := a.lookUp(c.UserContext(), c.Request())
	switch {
	case page != nil:
		return sendCached(c, page)
	case key == "":
		return c.Next()
	}
	a.cache.misses.Inc()
	mine := false
	fill := key + " " + strconv.FormatUint(version.Content, 36) + " " + strconv.FormatUint(version.Seats, 36)
	made, err, _ := a.cache.fills.Do(fill, func() (any, error) {
		mine = true
		return a.fillCache(c, key, version)
	})
	page, _ = made.(*cachedPage)
	switch {
	case page != nil:
		return sendCached(c, page)
	case mine:
		return err
	default:
		return c.Next() // what is not kept is not shared either
	}
}

// fillCache lets a request be answered as a whole and uncompressed, and keeps the answer if everybody may have it; else the page is
// nil, and the answer is the request's own.
func (a *App) fillCache(c *fiber.Ctx, key string, version models.ContentVersion) (*cachedPage, error) {
	asked := &c.Request().Header
	wishes := []string{fiber.HeaderAcceptEncoding, fiber.HeaderIfNoneMatch, fiber.HeaderIfModifiedSince}
	values := make([]string, len(wishes))
	for n, name := range wishes {
		values[n] = string(asked.Peek(name))
		asked.Del(name)
	}
	ctx, seats := models.NoteSeats(c.UserContext())
	c.SetUserContext(ctx)
	err := c.Next()
	for n, name := range wishes {
		if values[n] != "" {
			asked.Set(name, values[n])
		}
	}
	if err != nil {
		return nil, err
	}
	answer := c.Response()
	if answer.StatusCode() != http.StatusOK || string(answer.Header.Peek(fiber.HeaderCacheControl)) != publicCache ||
		answer.IsBodyStream() || len(answer.Body()) > pageLimit || len(answer.Header.Peek(fiber.HeaderSetCookie)) > 0 {
		if !answer.IsBodyStream() {
			answer.SetBody(encoded(c, answer.Body()))
		}
		return nil, nil //nolint:nilnil // there is no page, and nothing is wrong
	}
	route, _ := c.Locals(routeKey).(string)
	page := newCachedPage(version, seats(), route, answer)
	a.cache.put(key, page)
	return page, nil
}

// sendCached answers with a page of the cache.
func sendCached(c *fiber.Ctx, page *cachedPage) error {
	c.Locals(routeKey, page.route)
	page.send(&c.Request().Header, c.Response())
	return nil
}

// send makes the page the answer to a request.
func (p *cachedPage) send(asked *fasthttp.RequestHeader, answer *fasthttp.Response) {
	form := p.form(asked.Peek(fiber.HeaderAcceptEncoding))
	if unchanged(asked, form.tag, p.modified) {
		form.unchanged.CopyTo(&answer.Header)
		answer.ResetBody()
		return
	}
	form.header.CopyTo(&answer.Header)
	answer.SetBodyRaw(form.body())
}

// readParameters are the parameters of a query that public pages read, ignoredParameters what others put there to
// recognise whom they sent.
var (
	readParameters    = []string{"country", "group", "kind", "language", "mode", "near", "page", "q", "region", "topic"}
	ignoredParameters = []string{"fbclid", "gclid", "mc_cid", "mc_eid", "utm_campaign", "utm_content", "utm_id", "utm_medium", "utm_source", "utm_term"}
)

// cacheKey names the page that a request asks for, when the page may be everybody's: a GET or HEAD that tells nothing of who
// asks.
func (a *App) cacheKey(r *fasthttp.Request) (key string, ok bool) {
	h := &r.Header
	if !h.IsGet() && !h.IsHead() || h.ContentLength() != noBody || len(h.Cookie(a.sessionCookie())) > 0 || len(h.Cookie(a.flashCookie())) > 0 {
		return "", false
	}
	uri := r.URI()
	path := string(uri.PathOriginal())
	for _, files := range []string{"/static/", "/media/", "/share/"} {
		if strings.HasPrefix(path, files) {
			return "", false
		}
	}
	if len(uri.QueryString()) == 0 {
		return path, len(path) <= maxParameter
	}
	if !wellFormedQuery(uri.QueryArgs()) {
		return "", false // it is refused, whatever its page
	}
	var read []string
	for name, value := range uri.QueryArgs().All() {
		switch {
		case slices.Contains(ignoredParameters, string(name)):
		case slices.Contains(readParameters, string(name)) && len(value) <= maxCachedValue:
			read = append(read, string(name)+"="+string(value))
		default:
			return "", false
		}
	}
	if len(read) > 0 {
		slices.Sort(read)
		path += "?" + strings.Join(read, "\x00")
	}
	return path, len(path) <= maxParameter
}

// noBody is the length that fasthttp gives a GET or HEAD whose header speaks of no body at all.
const noBody = -2

// maxCachedValue is how long a value of a query may be that counts for the cache, in bytes.
const maxCachedValue = 100
