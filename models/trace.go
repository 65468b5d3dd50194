package models

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of a transaction, from its place in the queue to its commit, where somebody traces what wants it. The span
// is named by the method that wants it, such as Store.Register. A refusal is no error of the transaction.
func (s *Store) traced(ctx context.Context) (within context.Context, done func(error)) {
	of := trace.SpanFromContext(ctx)
	if !of.IsRecording() {
		return ctx, func(error) {}
	}
	kind := "sqlite"
	if s.postgres() {
		kind = "postgresql"
	}
	ctx, span := of.TracerProvider().Tracer("github.com/cdfoundation/portal/models").
		Start(ctx, transactionName(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(semconv.DBSystemNameKey.String(kind)))
	return ctx, func(err error) {
		if err != nil && (!isRefusal(err) || errors.Is(err, ErrUnavailable)) {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// transactionName is the method that called tx or txRegister.
func transactionName() string {
	callers := make([]uintptr, 8)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		_, method, _ := strings.Cut(frame.Function, "models.")
		method = strings.NewReplacer("(*", "", ")", "").Replace(method)
		if !more || method != "Store.tx" && method != "Store.txRegister" {
			return method
		}
	}
}
