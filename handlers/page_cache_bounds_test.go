package handlers

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"

	"github.com/cdfoundation/portal/models"
)

func TestAPageWithOtherHeadersHasAnotherTag(t *testing.T) {
	tag := func(policy string) string {
		var answer fasthttp.Response
		answer.SetBodyString("page")
		answer.Header.Set("Content-Security-Policy", policy)
		return newCachedPage(models.ContentVersion{}, false, "", &answer).forms[0].tag
	}
	if one, same, another := tag("one"), tag("one"), tag("another"); one != same || one == another {
		t.Errorf("the tags are %s, %s and %s", one, same, another)
	}
}

func TestTheCacheStaysWithinItsBytesAndLetsGoWhatNobodyAsksFor(t *testing.T) {
	cache, err := newPageCache(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var answer fasthttp.Response
	answer.SetBody(bytes.Repeat([]byte("x"), 100_000))
	version := models.ContentVersion{Content: 1}
	const pages = 2 * pageCacheLimit / 100_000
	for i := range pages {
		cache.put(strconv.Itoa(i), newCachedPage(version, false, "", &answer))
		if cache.get("0", version) == nil {
			t.Fatalf("the page that is asked for again and again went after %d others", i)
		}
		if cache.bytes > pageCacheLimit {
			t.Fatalf("%d bytes after %d pages", cache.bytes, i)
		}
	}
	if cache.get("1", version) != nil || cache.get(strconv.Itoa(pages-1), version) == nil {
		t.Error("the newest page went, or the oldest stays")
	}
	if gone := testutil.ToFloat64(cache.evictions); gone != float64(pages-cache.pages.Len()) {
		t.Errorf("%v pages went by the figures, of %d there are %d", gone, pages, cache.pages.Len())
	}
	cache.put("0", newCachedPage(version, false, "", new(fasthttp.Response)))
	for range cache.pages.Len() {
		cache.pages.RemoveOldest()
	}
	if cache.bytes != 0 {
		t.Errorf("an empty cache counts %d bytes", cache.bytes)
	}
}
