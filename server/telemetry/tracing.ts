import { type Span, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";

/** Spans cost nothing while this is false. Set by startTelemetry before the application is built. */
export const tracing = { enabled: false };

export function tracer(): Tracer {
  return trace.getTracer("adaptive-feature-flags");
}

/** Marks the span as failed, with the exception as an event. */
export function recordFailure(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  span.setAttribute("error.type", exception.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
}
