package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// outgoing counts what we ask of other services, as requests to us are counted.
type outgoing struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newOutgoing(r prometheus.Registerer) outgoing {
	return outgoing{
		requests: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: "portal_outgoing_requests_total", Help: "Requests to other services, by service, method, family of status (none: no answer) and success (no fault of theirs).",
		}, []string{"service", "method", "status", "success"}),
		seconds: promauto.With(r).NewHistogramVec(prometheus.HistogramOpts{
			Name: "portal_outgoing_request_duration_seconds", Help: "How long a service took to begin its answer, or not to answer.", Buckets: prometheus.ExponentialBuckets(.005, 2, 12),
		}, []string{"service"}),
	}
}

// to is a transport for the requests to a service.
func (o outgoing) to(service string) http.RoundTripper {
	// A series that stands at zero tells that nothing failed yet, one that is not there tells nothing.
	o.requests.WithLabelValues(service, http.MethodGet, "none", "false")
	return outgoingTo{outgoing: o, service: service}
}

type outgoingTo struct {
	outgoing

	service string
}

// RoundTrip sends a request and counts it.
func (o outgoingTo) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	// Where the request that wants it is traced, so is this one. The service is not told of it.
	of := trace.SpanFromContext(r.Context())
	_, span := of.TracerProvider().Tracer(tracerName).Start(r.Context(), r.Method+" "+o.service, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	answer, err := http.DefaultTransport.RoundTrip(r)
	o.seconds.WithLabelValues(o.service).Observe(time.Since(began).Seconds())
	status, success := "none", false
	if err == nil {
		status, success = strconv.Itoa(answer.StatusCode/100)+"xx", answer.StatusCode < http.StatusInternalServerError
	}
	if !success {
		span.SetStatus(codes.Error, "")
	}
	o.requests.WithLabelValues(o.service, r.Method, status, strconv.FormatBool(success)).Inc()
	return answer, err
}
