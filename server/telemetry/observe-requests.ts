import type { IncomingMessage } from "node:http";
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import { getPath } from "hono/utils/url";
import type { Metrics } from "../services.ts";
import { DRAWN_ROOT } from "./sampling.ts";
import { recordFailure, tracer, tracing } from "./tracing.ts";
import { UnsampledContext } from "./unsampled-context.ts";

type Answer = Response | Promise<Response>;
type Fetch<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Answer;

/** One method and path template; everything that depends on them only is made once. */
interface Route {
  readonly method: string;
  /** Such as `/features/{id}`; empty when no route matched. */
  readonly template: string;
  readonly spanName: string;
  readonly timers: Map<number, { record(milliseconds: number): void }>;
}

/**
 * Wraps an application's `fetch` from outside: one timing a request and, when it is sampled, one server span, active for
 * everything the request does. From outside because a Hono middleware, even an empty one, makes the hot routes
 * asynchronous (docs/decisions/0041-request-spans.md). A synchronous answer stays synchronous.
 *
 * @param options.routes the application's `routes`, complete: their templates become `http.route`
 */
export function observeRequests<Rest extends unknown[]>(
  fetch: Fetch<Rest>,
  { routes, metrics }: { routes: readonly { method: string; path: string }[]; metrics: Metrics },
): Fetch<Rest> {
  const find = routeFinder(routes);
  const answered = (route: Route, status: number, startedAt: number) => {
    let timer = route.timers.get(status);
    if (timer === undefined) {
      const labels = { method: route.method, route: route.template, status: String(status) };
      timer = metrics.timer("http_server_request_duration", labels);
      route.timers.set(status, timer);
    }
    timer.record(performance.now() - startedAt);
  };

  const timed: Fetch<Rest> = (request, ...rest) => {
    const startedAt = performance.now();
    const route = find(request.method, getPath(request));
    return settle(
      () => fetch(request, ...rest),
      (status) => answered(route, status, startedAt),
    );
  };
  if (!tracing.enabled) return timed;

  const spans = tracer();
  const traced = (parent: Context, request: Request, rest: Rest): Answer => {
    const startedAt = performance.now();
    const path = getPath(request);
    const route = find(request.method, path);
    // Attributes only for spans that are kept: the samplers OTEL_TRACES_SAMPLER names do not look at them.
    const span = spans.startSpan(route.spanName, SERVER, parent);
    if (span.isRecording()) {
      span.setAttribute("http.request.method", route.method);
      if (route.template !== "") span.setAttribute("http.route", route.template);
      span.setAttribute("url.path", path);
    }
    return settle(
      () => context.with(trace.setSpan(parent, span), () => fetch(request, ...rest)),
      (status, error) => {
        endSpan(span, status, error);
        answered(route, status, startedAt);
      },
    );
  };

  const { share, parentBased } = tracing.sampling;
  const fields = propagation.fields();
  const w3c = fields.includes("traceparent");
  // Whether a request is traced is found out first: to build an id, a span and a context only to learn that nobody wants
  // them costs more than the decision that is asked for (docs/decisions/0092-telemetry.md).
  return (request, ...rest) => {
    const headers = headersOf(request, rest[0]);
    if (!fields.some((field) => headers[field] !== undefined))
      return Math.random() < share ? traced(DRAWN_ROOT, request, rest) : timed(request, ...rest);
    if (parentBased && w3c && UNSAMPLED.test(String(headers.traceparent)))
      return context.with(new UnsampledContext(headers), () => timed(request, ...rest));
    return traced(propagation.extract(ROOT_CONTEXT, headers), request, rest);
  };
}

const SERVER = { kind: SpanKind.SERVER };

/** A valid traceparent that says no. */
const UNSAMPLED = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f][02468ace]$/;

/** Calls `done` once, when the answer is there or has failed (status 500); passes the answer or the failure on. */
function settle(answer: () => Answer, done: (status: number, error?: unknown) => void): Answer {
  const failed = (error: unknown): never => {
    done(500, error);
    throw error;
  };
  const succeeded = (response: Response) => {
    done(response.status);
    return response;
  };
  let response: Answer;
  try {
    response = answer();
  } catch (error) {
    return failed(error);
  }
  return response instanceof Promise ? response.then(succeeded, failed) : succeeded(response);
}

function endSpan(span: Span, status: number, error: unknown): void {
  if (span.isRecording()) {
    span.setAttribute("http.response.status_code", status);
    if (error !== undefined) recordFailure(span, error);
    else if (status >= 500) {
      span.setAttribute("error.type", String(status));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }
  span.end();
}

function routeFinder(routes: readonly { method: string; path: string }[]): (method: string, path: string) => Route {
  const router: Router<Route> = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  // Methods come from outside: unknown ones share one name, so that no caller can invent series.
  const unmatched = new Map(METHODS.map((method) => [method, makeRoute(method, "")]));
  const strange = makeRoute("_OTHER", "");
  const seen = new Set<string>();
  for (const { method, path } of routes) {
    if (method === "ALL" || seen.has(`${method} ${path}`)) continue; // ALL: middleware
    seen.add(`${method} ${path}`);
    router.add(method, path, makeRoute(method, path.replace(/:(\w+)(\{[^}]*\})?\??/g, "{$1}")));
  }
  if (seen.size === 0) return (method) => unmatched.get(method) ?? strange;
  return (method, path) => router.match(method, path)[0][0]?.[0] ?? unmatched.get(method) ?? strange;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

function makeRoute(method: string, template: string): Route {
  return { method, template, spanName: template === "" ? method : `${method} ${template}`, timers: new Map() };
}

/** node:http has them as a plain object already; making a Headers of them costs more than the span. */
function headersOf(request: Request, bindings: unknown): Readonly<Record<string, string | string[] | undefined>> {
  const { incoming } = (bindings ?? {}) as { incoming?: IncomingMessage };
  return incoming?.headers ?? Object.fromEntries(request.headers);
}
