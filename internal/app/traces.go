package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/cdfoundation/portal/internal/config"
)

// tracesLimit is how long the last traces may take to be sent when the program ends.
const tracesLimit = 5 * time.Second

// tracerName says whose spans they are.
const tracerName = "github.com/cdfoundation/portal"

// traces returns what makes spans, and what sends the last of them. Without a collector in the settings nothing is set up, and
// the tracer is nil.
func traces(ctx context.Context, c config.Config, log *slog.Logger) (tracer trace.Tracer, flush func(), err error) {
	endpoint := c.TracesURL()
	if endpoint == "" {
		return nil, func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	what, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(c.ServiceName), semconv.ServiceVersion(version)))
	if err != nil {
		return nil, nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", errors.Join(err, exporter.Shutdown(ctx)))
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.LogAttrs(context.WithoutCancel(ctx), slog.LevelWarn, "traces were not sent", slog.String("error", err.Error()))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(what))
	return provider.Tracer(tracerName), func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesLimit)
		defer cancel()
		if err := provider.Shutdown(last); err != nil {
			otel.Handle(err) // a collector that is gone is no failure of the portal
		}
	}, nil
}
