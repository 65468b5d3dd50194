package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cdfoundation/portal/internal/storage"
	"github.com/cdfoundation/portal/internal/testkit"
)

func newDirectory(t *testing.T, path string) *storage.Directory {
	t.Helper()
	d, err := storage.OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func newBucket(t *testing.T, address string, metrics prometheus.Registerer) *storage.Bucket {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b, err := storage.NewBucket(u, metrics)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// eachStorage runs a test on an empty directory and on an empty bucket.
func eachStorage(t *testing.T, test func(t *testing.T, s storage.Storage)) {
	t.Helper()
	t.Run("directory", func(t *testing.T) { test(t, newDirectory(t, filepath.Join(t.TempDir(), "new", "media"))) })
	t.Run("bucket", func(t *testing.T) { test(t, newBucket(t, testkit.NewBucket(t).URL, nil)) })
}

func put(t *testing.T, s storage.Storage, name, content string) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, s storage.Storage) (all []string) {
	t.Helper()
	for name, err := range s.Names(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestAFileIsThereUntilItIsRemoved(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		if got := names(t, s); len(got) != 0 {
			t.Errorf("at first there is %q", got)
		}
		if _, err := s.Read(t.Context(), "a.png"); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("a file that never was: %v", err)
		}
		put(t, s, "a.png", "a picture")
		put(t, s, "old/ä b+c.webp", "another")
		for name, want := range map[string]string{"a.png": "a picture", "old/ä b+c.webp": "another"} {
			if got, err := s.Read(t.Context(), name); err != nil || string(got) != want {
				t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
			}
		}
		if got := names(t, s); !slices.Equal(got, []string{"a.png", "old/ä b+c.webp"}) {
			t.Errorf("there is %q", got)
		}
		for range 2 { // what is gone is gone
			if err := s.Remove(t.Context(), "a.png"); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Read(t.Context(), "a.png"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that was removed: %v", err)
		}
		if got := names(t, s); !slices.Equal(got, []string{"old/ä b+c.webp"}) {
			t.Errorf("after that there is %q", got)
		}
	})
}

func TestTheLaterOfTwoFilesOfANameIsKept(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		put(t, s, "a.png", "a long first picture")
		put(t, s, "a.png", "second")
		if got, err := s.Read(t.Context(), "a.png"); err != nil || string(got) != "second" {
			t.Errorf("it holds %q (%v)", got, err)
		}
	})
}

func TestWhoeverReadsWhileOthersWriteGetsAWholeFile(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		large := func(n int) []byte { return bytes.Repeat([]byte{byte('a' + n)}, 1<<20) }
		put(t, s, "a.png", string(large(0)))
		var writers sync.WaitGroup
		for n := range 4 {
			writers.Go(func() {
				for range 5 {
					if err := s.Put(t.Context(), "a.png", large(n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 20 {
			got, err := s.Read(t.Context(), "a.png")
			if err != nil || len(got) != 1<<20 || bytes.Count(got, got[:1]) != len(got) {
				t.Fatalf("%d bytes of different pictures: %v", len(got), err)
			}
		}
		writers.Wait()
		if got := names(t, s); !slices.Equal(got, []string{"a.png"}) {
			t.Errorf("there is %q", got)
		}
	})
}

func TestANameThatLeadsOutIsRefused(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		for _, name := range []string{"", ".", "..", "../a.png", "a/../../b.png", "/a.png", "a//b.png", "a/"} {
			if err := s.Put(t.Context(), name, []byte("x")); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
		if got := names(t, s); len(got) != 0 {
			t.Errorf("there is %q", got)
		}
	})
}

func TestManyFilesAreAllNamedAndTheReaderMayStop(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		const many = 1001 // more than a bucket names at once
		for n := range many {
			put(t, s, fmt.Sprintf("%04d.png", n), "x")
		}
		if got := names(t, s); len(got) != many {
			t.Errorf("%d of %d are named", len(got), many)
		}
		for name, err := range s.Names(t.Context()) {
			if name == "" || err != nil {
				t.Errorf("%q, %v", name, err)
			}
			break
		}
	})
}

func TestWhoGivesUpListingIsTold(t *testing.T) {
	eachStorage(t, func(t *testing.T, s storage.Storage) {
		put(t, s, "a.png", "x")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range s.Names(ctx) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%q, %v", name, err)
			}
			return
		}
		t.Error("it was told that there is nothing")
	})
}

func TestWhatWasBeingWrittenWhenTheProgramEndedIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".partial-ABC"), []byte("half a pic"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := names(t, newDirectory(t, dir)); len(got) != 0 {
		t.Errorf("there is %q", got)
	}
}

func TestADirectoryIsForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "media")
	put(t, newDirectory(t, dir), "old/a.png", "x")
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "old"): 0o700, filepath.Join(dir, "old", "a.png"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestABucketThatIsAwayIsUnavailableUntilItIsBack(t *testing.T) {
	server := testkit.NewBucket(t)
	all := prometheus.NewRegistry()
	b := newBucket(t, server.URL, all)
	put(t, b, "a.png", "a picture")
	server.Away(true)
	_, readErr := b.Read(t.Context(), "a.png")
	var listErr error
	for _, listErr = range b.Names(t.Context()) {
		break
	}
	for what, err := range map[string]error{
		"put": b.Put(t.Context(), "b.png", []byte("x")), "read": readErr, "remove": b.Remove(t.Context(), "a.png"), "list": listErr,
	} {
		if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("%s: %v", what, err)
		}
	}
	server.Away(false)
	if got, err := b.Read(t.Context(), "a.png"); err != nil || string(got) != "a picture" {
		t.Errorf("when it is back: %q, %v", got, err)
	}
	_, _ = b.Read(t.Context(), "never.png")
	const want = `# HELP portal_storage_requests_total Calls of the bucket of uploads, by operation, by outcome (ok, missing, failed) and by success (it answered).
# TYPE portal_storage_requests_total counter
portal_storage_requests_total{operation="list",outcome="failed",success="false"} 1
portal_storage_requests_total{operation="put",outcome="failed",success="false"} 1
portal_storage_requests_total{operation="put",outcome="ok",success="true"} 1
portal_storage_requests_total{operation="read",outcome="failed",success="false"} 1
portal_storage_requests_total{operation="read",outcome="missing",success="true"} 1
portal_storage_requests_total{operation="read",outcome="ok",success="true"} 1
portal_storage_requests_total{operation="remove",outcome="failed",success="false"} 1
`
	if err := testutil.GatherAndCompare(all, strings.NewReader(want), "portal_storage_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.ResponseWriter){
		"at once": func(http.ResponseWriter) {},
		"amid the file": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(make([]byte, 500))
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over := make(chan struct{})
			silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				begin(w)
				<-over
			}))
			t.Cleanup(silent.Close)
			t.Cleanup(func() { close(over) })
			b := newBucket(t, "s3://key:hush-hush@"+strings.TrimPrefix(silent.URL, "http://")+"/uploads?tls=off", nil)
			if content, err := b.Read(t.Context(), "a.png"); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("%d bytes, %v", len(content), err)
			}
		})
	}
}

func TestABucketBreaksOffAFileAndNobodyTakesItForWhole(t *testing.T) {
	breaking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 500))
	}))
	t.Cleanup(breaking.Close)
	b := newBucket(t, "s3://key:hush-hush@"+strings.TrimPrefix(breaking.URL, "http://")+"/uploads?tls=off", nil)
	if content, err := b.Read(t.Context(), "a.png"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

// A bucket that nobody made, one that refuses and a wrong key are faults of the settings: never "there is no such file".
func TestABucketThatRefusesIsUnavailable(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`))
	}))
	t.Cleanup(refusing.Close)
	for name, address := range map[string]string{
		"refuses":                        "s3://key:hush-hush@" + strings.TrimPrefix(refusing.URL, "http://") + "/uploads?tls=off",
		"not made":                       strings.Replace(testkit.NewBucket(t).URL, "/uploads/", "/another/", 1),
		"a secret that is not the key's": strings.Replace(testkit.NewBucket(t).URL, "hush-hush", "hush", 1),
		"a key that nobody has":          strings.Replace(testkit.NewBucket(t).URL, "key:", "other:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t, address, nil)
			if _, err := b.Read(t.Context(), "a.png"); !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("read: %v", err)
			}
			if err := b.Put(t.Context(), "a.png", []byte("x")); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("put: %v", err)
			}
			if err := b.Remove(t.Context(), "a.png"); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("remove: %v", err)
			}
		})
	}
}

func TestTwoPrefixesOfABucketKnowNothingOfEachOther(t *testing.T) {
	address := testkit.NewBucket(t).URL
	one, other := newBucket(t, address, nil), newBucket(t, strings.Replace(address, "/portal/media", "/portal/media2", 1), nil)
	put(t, one, "a.png", "one")
	put(t, other, "b.png", "other")
	if got := names(t, one); !slices.Equal(got, []string{"a.png"}) {
		t.Errorf("there is %q", got)
	}
	if _, err := one.Read(t.Context(), "b.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
