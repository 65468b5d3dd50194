package testkit

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// Bucket is an empty bucket on a server of its own that speaks as S3 does, and answers only who signs with its key.
type Bucket struct {
	// URL is what PORTAL_STORAGE_URL takes, with a prefix.
	URL string

	away atomic.Bool
}

// NewBucket starts a server until the test ends.
func NewBucket(t testing.TB) *Bucket {
	t.Helper()
	objects := objects{s3mem.New()}
	if err := objects.CreateBucket(t.Context(), "uploads"); err != nil {
		t.Fatal(err)
	}
	b := &Bucket{}
	speak := gofakes3.New(objects, gofakes3.WithLogger(gofakes3.DiscardLog()), gofakes3.WithV4Auth(map[string]string{"key": "hush-hush"})).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.away.Load() {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		speak.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.URL = fmt.Sprintf("s3://key:hush-hush@%s/uploads/portal/media?tls=off", strings.TrimPrefix(server.URL, "http://"))
	return b
}

// Away lets the server answer nobody, until it is called with false.
func (b *Bucket) Away(away bool) { b.away.Store(away) }

// objects are those of a bucket, listed as S3 does it: an empty delimiter is none.
type objects struct{ *s3mem.Backend }

func (o objects) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	prefix.HasDelimiter = prefix.Delimiter != ""
	return o.Backend.ListBucket(ctx, name, prefix, page)
}
