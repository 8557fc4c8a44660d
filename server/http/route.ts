import type { IncomingMessage, ServerResponse } from "node:http";
import { type createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";

/** What every route finds in its context. */
export interface Env {
  /** Of the node:http request, when there is one. `rawBody` was collected by listen.ts. */
  Bindings: { incoming?: IncomingMessage & { rawBody?: Buffer }; outgoing?: ServerResponse };
  Variables: {
    /** Key of a known environment. */
    environment: string;
    /** Who asks: the token's subject, else `X-Actor`, else "anonymous". */
    actor: string;
    /** True when the token opens no other environment. */
    pinned: boolean;
  };
}

/** What `eventRoutes(app, services)` and its like add their routes to: access is checked and headers are set before. */
export type App = OpenAPIHono<Env>;
export type RouteContext = Context<Env>;

type Route = ReturnType<typeof createRoute<string, Omit<RouteConfig, "path"> & { path: string }>>;

/**
 * Adds a route to the app and to the OpenAPI document. The handler reads its input by `readJson`/`check` (body.ts):
 * zod-openapi's own validators are several times slower and refuse JSON that is sent without its content type.
 */
export function on(app: App, route: Route, handler: (c: RouteContext) => Response | Promise<Response>): void {
  app.openAPIRegistry.registerPath(route);
  app.on(route.method.toUpperCase(), route.getRoutingPath(), handler);
}

/** One header, by its name in lower case. From node:http's own object when there is one: Hono's costs a microsecond. */
export function headerOf(c: RouteContext, name: string): string | undefined {
  const incoming = c.env?.incoming;
  if (incoming === undefined) return c.req.header(name);
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** `json(Schema, "Created")` for a route's `responses` and `request.body`. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** What is answered instead, for a route's `responses`: `...failures(404, 409)`. 422 and 500 go without saying. */
export function failures<Status extends keyof typeof FAILURES>(...statuses: Status[]) {
  const all = [...statuses, 422 as const, 500 as const].map((status) => [status, json(Failure, FAILURES[status])]);
  return Object.fromEntries(all) as Record<Status | 422 | 500, ReturnType<typeof json<typeof Failure>>>;
}

/** Every error's body. `detail` is a plain sentence only for status 500. */
export const Failure = z
  .object({
    detail: z.union([
      z.string(),
      z.object({
        code: z.string().describe("Stable; for machines"),
        message: z.string().describe("What was tried, what was found, what would work"),
        field: z.string().optional().describe("Dotted path of the field at fault"),
        errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
      }),
    ]),
  })
  .meta({ id: "Failure" });

const FAILURES = {
  400: "The body is not JSON",
  401: "No valid bearer token",
  403: "The token does not open this environment",
  404: "Not found",
  409: "A unique key is taken, or the present state forbids it",
  412: "If-Match names a version that is no longer the stored one",
  413: "The body is too large",
  422: "The request is not valid; `errors` names each field",
  500: "Internal error; its cause is in the server's log",
  504: "The work goes on, but not within the time this call waits",
  503: "Not now: PostgreSQL cannot be reached, a queue is full, or no worker is running; see Retry-After",
} as const;
