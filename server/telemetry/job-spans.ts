import { context, type Link, type Span, SpanKind, trace } from "@opentelemetry/api";
import { contextOf, currentTraceparent } from "./traceparent.ts";
import { recordFailure, tracer, tracing } from "./tracing.ts";

type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * For the request that asks for a job: a producer span "enqueue <job>" under the request's span. `run` is given its
 * traceparent to store with the job; null when nothing is traced.
 */
export function enqueueSpan<T>(
  job: string,
  attributes: Attributes,
  run: (traceparent: string | null) => Promise<T>,
): Promise<T> {
  if (!tracing.enabled) return run(null);
  const span = tracer().startSpan(`enqueue ${job}`, { kind: SpanKind.PRODUCER, attributes });
  return during(span, () => run(currentTraceparent()));
}

/** Where a job comes from, as W3C traceparents; null: from no trace. */
export interface JobOrigin {
  /** Of the span that enqueued it. */
  readonly traceparent: string | null;
  /** Of other work it goes back to, such as the training of the model it looks at. */
  readonly related?: string | null;
  readonly attributes?: Attributes;
}

/**
 * For the worker: a consumer span named like the job, a child of the span that enqueued it, in the same trace, and linked
 * to it, so that the connection also shows in tools that cut traces by time. Active while `run` runs; failed when it throws.
 */
export function jobSpan<T>(
  job: string,
  { traceparent, related = null, attributes = {} }: JobOrigin,
  run: () => Promise<T>,
): Promise<T> {
  if (!tracing.enabled) return run();
  const parent = contextOf(traceparent);
  const links: Link[] = [parent, contextOf(related)].flatMap((from) => {
    const found = trace.getSpanContext(from);
    return found === undefined ? [] : [{ context: found }];
  });
  return during(tracer().startSpan(job, { kind: SpanKind.CONSUMER, attributes, links }, parent), run);
}

/** A part of what is going on ("read", "fit", "save"): a child of the active span. */
export function childSpan<T>(name: string, attributes: Attributes, run: () => Promise<T>): Promise<T> {
  if (!tracing.enabled) return run();
  return during(tracer().startSpan(name, { attributes }), run);
}

function during<T>(span: Span, run: () => Promise<T>): Promise<T> {
  return context.with(trace.setSpan(context.active(), span), async () => {
    try {
      return await run();
    } catch (error) {
      recordFailure(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}
