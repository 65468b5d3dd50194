package handlers

import (
	"bytes"
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
	pageOverhead   = 2 << 10  // bytes, about, of what belongs to a page beside its bodies
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
	once   sync.Once
	body   []byte
	tag    string
	header fasthttp.ResponseHeader
}

// codings are the forms of a body, the one that we like best first (RFC 9110, 8.4.1).
var codings = [...]string{"br", "gzip", ""}

// newCachedPage makes the page of a response to a request of a route.
func newCachedPage(version models.ContentVersion, seats bool, route string, r *fasthttp.Response) *cachedPage {
	page := &cachedPage{version: version, seats: seats, route: route, whole: bytes.Clone(r.Body()), compressible: compressible(&r.Header, r.Body())}
	page.modified, _ = http.ParseTime(string(r.Header.Peek(fiber.HeaderLastModified)))
	hash := strconv.FormatUint(uint64(crc32.Checksum(page.whole, castagnoli))<<32|uint64(crc32.ChecksumIEEE(page.whole)), 36)
	for n, coding := range codings {
		form := &page.forms[n]
		r.Header.CopyTo(&form.header)
		form.tag = `"` + hash + `"`
		if coding != "" {
			form.header.Set(fiber.HeaderContentEncoding, coding)
			form.tag = `"` + hash + "-" + coding + `"`
		}
		form.header.Set(fiber.HeaderETag, form.tag)
	}
	// The other forms are made when somebody asks for them; until then they count with what they take at most.
	page.size = pageOverhead + len(page.whole)*3/2
	return page
}

// form is the page in the best coding that a client takes.
func (p *cachedPage) form(accepted []byte) *pageForm {
	best := len(codings) - 1
	if p.compressible {
		best = slices.IndexFunc(codings[:], func(coding string) bool { return coding == "" || accepts(accepted, coding) })
	}
	form := &p.forms[best]
	form.once.Do(func() { form.body = encode(codings[best], p.whole) })
	return form
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

// cached answers from the cache what visitors without a session ask for, or keeps what is answered.
func (a *App) cached(c *fiber.Ctx) error {
	key, ok := a.cacheKey(c)
	if !ok {
		return c.Next()
	}
	version, err := a.Store.ContentVersion(c.UserContext())
	if err != nil {
		return c.Next() // who asks next finds out what the matter is
	}
	if page := a.cache.get(key, version); page != nil {
		a.cache.hits.Inc()
		return a.sendCached(c, page)
	}
	a.cache.misses.Inc()
	mine := false
	fill := key + " " + strconv.FormatUint(version.Content, 36) + " " + strconv.FormatUint(version.Seats, 36)
	made, err, _ := a.cache.fills.Do(fill, func() (any, error) {
		mine = true
		return a.fillCache(c, key, version)
	})
	page, _ := made.(*cachedPage)
	switch {
	case page != nil:
		return a.sendCached(c, page)
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
func (a *App) sendCached(c *fiber.Ctx, page *cachedPage) error {
	form := page.form(c.Request().Header.Peek(fiber.HeaderAcceptEncoding))
	answer := c.Response()
	form.header.CopyTo(&answer.Header)
	c.Locals(routeKey, page.route)
	if unchanged(c, form.tag, page.modified) {
		answer.ResetBody()
		answer.SetStatusCode(http.StatusNotModified)
		answer.Header.Del(fiber.HeaderContentType)
		answer.Header.Del(fiber.HeaderContentEncoding)
		return nil
	}
	answer.SetStatusCode(http.StatusOK)
	answer.SetBodyRaw(form.body)
	return nil
}

// readParameters are the parameters of a query that public pages read, ignoredParameters what others put there to
// recognise whom they sent.
var (
	readParameters    = []string{"country", "group", "kind", "language", "mode", "near", "page", "q", "region", "topic"}
	ignoredParameters = []string{"fbclid", "gclid", "mc_cid", "mc_eid", "utm_campaign", "utm_content", "utm_id", "utm_medium", "utm_source", "utm_term"}
)

// cacheKey names the page that a request asks for, when the page may be everybody's: a GET or HEAD that tells nothing of who
// asks.
func (a *App) cacheKey(c *fiber.Ctx) (key string, ok bool) {
	h := &c.Request().Header
	if !h.IsGet() && !h.IsHead() || announcesBody(h.RawHeaders()) || len(h.Cookie(a.sessionCookie())) > 0 || len(h.Cookie(a.flashCookie())) > 0 {
		return "", false
	}
	uri := c.Request().URI()
	path := string(uri.PathOriginal())
	for _, files := range []string{"/static/", "/media/", "/share/"} {
		if strings.HasPrefix(path, files) {
			return "", false
		}
	}
	if len(uri.QueryString()) == 0 {
		return path, len(path) <= maxParameter
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

// announcesBody reports whether the raw lines of a request's header speak of a body, be there one or not.
func announcesBody(raw []byte) bool {
	for line := range bytes.SplitSeq(raw, []byte("\n")) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) || bytes.EqualFold(name, []byte("transfer-encoding")) {
			return true
		}
	}
	return false
}

// maxCachedValue is how long a value of a query may be that counts for the cache, in bytes.
const maxCachedValue = 100
