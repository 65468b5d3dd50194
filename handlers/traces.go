package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	spanattribute "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of a request, named by its route as the figures are, with nothing that somebody typed. Of which trace it is
// part a trusted proxy may say (W3C Trace Context), and nobody else.
func (a *App) traced(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if c.IsProxyTrusted() {
		ctx = propagation.TraceContext{}.Extract(ctx, requestHeader{c})
	}
	ctx, span := a.Tracer.Start(ctx, c.Method(), trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	c.SetUserContext(ctx)
	err := c.Next()
	if err != nil {
		// The error handler is called here, so that the span knows the status it chose.
		err = a.showError(c, err)
	}
	route, _ := c.Locals(routeKey).(string)
	status := c.Response().StatusCode()
	span.SetAttributes(semconv.HTTPRequestMethodKey.String(c.Method()), semconv.HTTPResponseStatusCode(status), requestIDAttribute.String(requestID(c)))
	if route != "" {
		span.SetName(c.Method() + " " + route)
		span.SetAttributes(semconv.HTTPRoute(route))
	}
	if err != nil || status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	return err
}

// requestIDAttribute names the request as the log does.
const requestIDAttribute = spanattribute.Key("portal.request_id")

// requestHeader is what a propagator reads of a request.
type requestHeader struct{ c *fiber.Ctx }

// Get is a field of the header.
func (h requestHeader) Get(name string) string { return h.c.Get(name) }

// Set writes nothing: a request is only read.
func (requestHeader) Set(string, string) {}

// Keys names no fields: who asks knows theirs.
func (requestHeader) Keys() []string { return nil }
