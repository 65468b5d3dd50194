package app_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// traceCollector takes what an OpenTelemetry collector takes.
type traceCollector struct {
	*httptest.Server
	mu      sync.Mutex
	service string
	spans   []*tracepb.Span
}

func newTraceCollector(t *testing.T) *traceCollector {
	t.Helper()
	c := new(traceCollector)
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &sent) != nil {
			t.Errorf("it was sent %s %s", r.URL, r.Header.Get("Content-Type"))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range sent.GetResourceSpans() {
			for _, a := range resource.GetResource().GetAttributes() {
				if a.GetKey() == "service.name" {
					c.service = a.GetValue().GetStringValue()
				}
			}
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named is the newest span of a name.
func (c *traceCollector) named(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *tracepb.Span
	var names []string
	for _, s := range c.spans {
		names = append(names, s.GetName())
		if s.GetName() == name {
			found = s
		}
	}
	if found == nil {
		t.Fatalf("there is no span %q among %q", name, names)
	}
	return found
}

func TestTracesTellOfRequestsTransactionsCallsAndMailsAndOfNobody(t *testing.T) {
	t.Parallel()
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	issuer := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(issuer.Close)
	for _, tt := range []struct {
		name, proxies string
		follows       bool
	}{{"a trusted proxy says of which trace a request is", "127.0.0.0/8", true}, {"others do not", "", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newTraceCollector(t)
			p := serve(t, "OTEL_EXPORTER_OTLP_ENDPOINT", c.URL, "OTEL_SERVICE_NAME", "community", "PORTAL_TRUSTED_PROXIES", tt.proxies,
				"PORTAL_OIDC_ISSUER", issuer.URL, "PORTAL_OIDC_CLIENT_ID", "portal", "PORTAL_OIDC_CLIENT_SECRET", "hush")
			if code, _, said := p.run("user", "add", "--email", "ana@example.org", "--name", "Ana", "--role", "staff"); code != 0 {
				t.Fatal(said)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/login?utm_source=typed", strings.NewReader(url.Values{"email": {"ana@example.org"}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Traceparent", "00-"+trace+"-"+parent+"-01")
			response, err := stranger.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			p.get(t, "/blog/typed-by-somebody")
			p.get(t, "/login/with/openid")
			p.get(t, "/events")
			p.get(t, "/events") // from the cache
			p.kept(t, "ana@example.org", 1)
			if code := p.stop(); code != 0 {
				t.Fatalf("the program ended with %d", code)
			}

			if c.service != "community" {
				t.Errorf("the traces are of %q", c.service)
			}
			login := c.named(t, "POST /login")
			attributes := map[string]string{}
			for _, a := range login.GetAttributes() {
				attributes[a.GetKey()] = a.GetValue().String()
			}
			for key, want := range map[string]string{
				"http.route": `"/login"`, "http.request.method": `"POST"`, "http.response.status_code": "200", "portal.request_id": response.Header.Get("X-Request-Id"),
			} {
				if !strings.Contains(attributes[key], want) || len(attributes) != 4 {
					t.Errorf("the span of the request says %q", attributes)
				}
			}
			if follows := hex.EncodeToString(login.GetTraceId()) == trace && hex.EncodeToString(login.GetParentSpanId()) == parent; follows != tt.follows {
				t.Errorf("it follows the trace that was named: %t", follows)
			}
			within := func(name string, of *tracepb.Span) {
				t.Helper()
				if s := c.named(t, name); hex.EncodeToString(s.GetParentSpanId()) != hex.EncodeToString(of.GetSpanId()) {
					t.Errorf("%s is not part of %s", name, of.GetName())
				}
			}
			within("Store.RequestSignIn", login)
			outside := c.named(t, "GET /login/with/:service")
			within("GET openid", outside)
			within("Store.MailSent", c.named(t, "mail sign_in"))
			if outside.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || login.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
				t.Error("what failed is not told from what did not")
			}
			pages := 0
			for _, s := range c.spans {
				if s.GetName() == "GET /events" {
					pages++
				}
				for _, typed := range []string{"ana", "typed", "hush"} {
					if strings.Contains(s.String(), typed+"@") || typed != "ana" && strings.Contains(s.String(), typed) {
						t.Errorf("a span names %q: %s", typed, s)
					}
				}
			}
			if pages != 2 {
				t.Errorf("%d spans of the page that was asked for twice", pages)
			}
		})
	}
}

func TestNobodyWaitsForACollectorThatIsGone(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p := serve(t, "OTEL_EXPORTER_OTLP_ENDPOINT", gone.URL)
	if answer, _ := p.get(t, "/events"); answer.StatusCode != http.StatusOK {
		t.Errorf("the page answers %d", answer.StatusCode)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
}
