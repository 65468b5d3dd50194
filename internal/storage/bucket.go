package storage

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Bucket keeps files as objects in a bucket of a server that speaks as S3 does.
type Bucket struct {
	s3        *minio.Core
	transport *http.Transport
	name      string
	prefix    string // of every object: empty, or with a slash at its end

	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// What a call may take: less than a request of the portal may, so that people are answered.
const (
	dialLimit   = 3 * time.Second
	answerLimit = 5 * time.Second // until the server begins to answer
	callLimit   = 15 * time.Second
	attempts    = 2 // the first may meet a connection that was closed meanwhile
)

// defaultRegion is also what servers without regions sign with.
const defaultRegion = "us-east-1"

// NewBucket returns the bucket of s3://KEY:SECRET@HOST/BUCKET/PREFIX?region=REGION&tls=off, an address that the settings accepted.
// It does not connect. Figures about its calls are shown in metrics, which may be nil.
func NewBucket(address *url.URL, metrics prometheus.Registerer) (*Bucket, error) {
	secure := address.Query().Get("tls") != "off"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	transport.DialContext = (&net.Dialer{Timeout: dialLimit}).DialContext
	transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout = answerLimit, answerLimit
	secret, _ := address.User.Password()
	s3, err := minio.NewCore(address.Host, &minio.Options{
		Creds: credentials.NewStaticV4(address.User.Username(), secret, ""), Secure: secure, Transport: transport,
		Region: cmp.Or(address.Query().Get("region"), defaultRegion), MaxRetries: attempts,
	})
	if err != nil {
		return nil, err
	}
	b := &Bucket{
		s3: s3, transport: transport,
		requests: promauto.With(metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "portal_storage_requests_total", Help: "Calls of the bucket of uploads, by operation, by outcome (ok, missing, failed) and by success (it answered).",
		}, []string{"operation", "outcome", "success"}),
		seconds: promauto.With(metrics).NewHistogramVec(prometheus.HistogramOpts{
			Name: "portal_storage_request_seconds", Help: "How long a call of the bucket of uploads took.", Buckets: prometheus.ExponentialBuckets(.005, 2, 12),
		}, []string{"operation"}),
	}
	for _, operation := range []string{"put", "read", "remove", "list"} {
		// A series that stands at zero tells that nothing failed yet, one that is not there tells nothing.
		b.requests.WithLabelValues(operation, "failed", "false")
		b.seconds.WithLabelValues(operation)
	}
	b.name, b.prefix, _ = strings.Cut(strings.Trim(address.Path, "/"), "/")
	if b.prefix != "" {
		b.prefix += "/"
	}
	return b, nil
}

// Put sends a file with its checksum; the server keeps it when all of it has come.
func (b *Bucket) Put(ctx context.Context, name string, content []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	return b.call(ctx, "put", name, func(ctx context.Context) error {
		_, err := b.s3.Client.PutObject(ctx, b.name, b.prefix+name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{SendContentMd5: true})
		return err
	})
}

// Read fetches a file.
func (b *Bucket) Read(ctx context.Context, name string) (content []byte, err error) {
	err = b.call(ctx, "read", name, func(ctx context.Context) error {
		object, _, _, err := b.s3.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		content, err = io.ReadAll(object)
		return errors.Join(err, object.Close())
	})
	return content, err
}

// Remove removes a file.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	err := b.call(ctx, "remove", name, func(ctx context.Context) error {
		return b.s3.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // some servers say so
	}
	return err
}

// Names asks for a thousand at a time.
func (b *Bucket) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		var names []string
		err := b.count("list", func() error {
			// The limit is for each answer: there may be many.
			limit := time.AfterFunc(callLimit, func() { stop(context.DeadlineExceeded) })
			defer limit.Stop()
			for object := range b.s3.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
				limit.Reset(callLimit)
				if object.Err != nil {
					return object.Err
				}
				if name := strings.TrimPrefix(object.Key, b.prefix); checkName(name) == nil { // a tool may have made folders, and there are backups
					names = append(names, name)
				}
			}
			return context.Cause(ctx)
		})
		if err != nil {
			yield("", fmt.Errorf("%w: list: %w", ErrUnavailable, err))
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// Close closes the connections that wait to be used again.
func (b *Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// call does one operation on a file within its limit.
func (b *Bucket) call(ctx context.Context, operation, name string, do func(context.Context) error) error {
	ctx, stop := context.WithTimeout(ctx, callLimit)
	defer stop()
	return b.judged(ctx, operation, name, do)
}

// judged does one operation on a file and tells a file that is missing from a server that is.
func (b *Bucket) judged(ctx context.Context, operation, name string, do func(context.Context) error) error {
	err := b.count(operation, func() error { return do(ctx) })
	switch {
	case err == nil:
		return nil
	case missing(err):
		return fmt.Errorf("%s %s: %w", operation, name, fs.ErrNotExist)
	}
	return fmt.Errorf("%w: %s %s: %w", ErrUnavailable, operation, name, err)
}

// count shows an operation in the figures.
func (b *Bucket) count(operation string, do func() error) error {
	timer := prometheus.NewTimer(b.seconds.WithLabelValues(operation))
	err := do()
	timer.ObserveDuration()
	outcome := "ok"
	switch {
	case missing(err):
		outcome = "missing"
	case err != nil:
		outcome = "failed"
	}
	b.requests.WithLabelValues(operation, outcome, strconv.FormatBool(outcome != "failed")).Inc()
	return err
}

func missing(err error) bool {
	response, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && response.Code == minio.NoSuchKey
}
