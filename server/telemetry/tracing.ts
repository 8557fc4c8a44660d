import { context, type Logger, type Span, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import type { Sampling } from "./sampling.ts";
import { UnsampledContext } from "./unsampled-context.ts";

/** What OpenTelemetry is given. Set by startTelemetry before the application is built. */
export const tracing: {
  /** Spans cost nothing while this is false. */
  enabled: boolean;
  sampling: Sampling;
  /** Which evaluations become log records: all, those whose request is traced, or none. */
  records: "all" | "sampled" | "none";
  /** For them; to look it up for each costs as much as to fill one. */
  logger: Logger | undefined;
} = { enabled: false, sampling: { share: 1, parentBased: true }, records: "none", logger: undefined };

export function tracer(): Tracer {
  return trace.getTracer("adaptive-feature-flags");
}

/** The active span when it keeps what it is told; undefined: do not even build what you would tell it. */
export function recordingSpan(): Span | undefined {
  if (!tracing.enabled) return undefined;
  const active = context.active();
  if (active instanceof UnsampledContext) return undefined;
  const span = trace.getSpan(active);
  return span?.isRecording() ? span : undefined;
}

/** Marks the span as failed, with the exception as an event. */
export function recordFailure(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  span.setAttribute("error.type", exception.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
}
