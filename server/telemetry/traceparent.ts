import { type Context, context, propagation, ROOT_CONTEXT } from "@opentelemetry/api";

/** The active span as a W3C traceparent, to be stored with work that goes on elsewhere; null when nothing is traced. */
export function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}

/** A context whose remote parent is this traceparent; the root context when it is null or malformed. */
export function contextOf(traceparent: string | null): Context {
  return traceparent === null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}
