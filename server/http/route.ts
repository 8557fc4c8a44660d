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

/** `json(Schema, "Created", example)` for a route's `responses` and `request.body`. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string, example?: unknown) {
  return { description, content: { "application/json": { schema, ...(example === undefined ? {} : { example }) } } };
}

/**
 * What is answered instead, for a route's `responses`: `...failures(409)`. What any route may answer goes without saying
 * (openapi.ts).
 */
export function failures<Status extends keyof typeof FAILURES>(...statuses: Status[]) {
  return Object.fromEntries(statuses.map((status) => [status, FAILURES[status]])) as Pick<typeof FAILURES, Status>;
}

/** A header of an answer that always has it. */
export function header(description: string, example: string) {
  return { description, required: true, schema: { type: "string" as const }, example };
}

/** What a page is made of, in one of the media types. */
export function file(...types: string[]) {
  return {
    description: "A file. Its address changes with it, so that browsers keep it for ever",
    headers: { "Cache-Control": header("For ever", "public, max-age=31536000, immutable") },
    content: Object.fromEntries(types.map((type) => [type, {}])),
  };
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

const failure = (description: string, code: string, message: string, more: object = {}) =>
  json(Failure, description, { detail: { code, message, ...more } });
const retryAfter = { "Retry-After": header("Seconds", "5") };

/** One object a status: the document refers to it by name. */
export const FAILURES = {
  400: failure(
    "The body cannot be read",
    "malformed_json",
    "The body is not JSON: the body is empty. Send one JSON object, UTF-8",
  ),
  401: {
    ...failure("No valid token", "token_expired", "The bearer token has expired; POST /auth/token gives a new one"),
    headers: { "WWW-Authenticate": header("What would work", 'Bearer error="invalid_token"') },
  },
  403: failure(
    "The token does not allow this",
    "wrong_environment",
    'X-Environment asks for "production", but this token only opens "staging"',
  ),
  404: failure(
    "There is no such environment, or nothing of this name in it",
    "not_found",
    'There is no feature "checkot" in this environment',
  ),
  409: failure(
    "A unique key is taken, or the present state forbids it",
    "conflict",
    'There is a feature "new-checkout" already',
  ),
  412: {
    ...failure(
      "If-Match names a version that is no longer the stored one",
      "stale_version",
      "Version 3 is stored, not 2: read it again and repeat the change",
    ),
    headers: { ETag: header("The stored version", '"3"') },
  },
  413: failure(
    "The body is too large",
    "body_too_large",
    "The body is larger than the 256 KB this call takes; send less at once",
  ),
  422: failure(
    "The request is not valid; `errors` names each field",
    "validation_error",
    "user.user_id: Too small: expected string to have >=1 characters",
    {
      field: "user.user_id",
      errors: [{ field: "user.user_id", message: "Too small: expected string to have >=1 characters" }],
    },
  ),
  500: json(Failure, "Internal error; its cause is in the server's log", { detail: "Internal server error." }),
  503: {
    ...failure(
      "Not now: PostgreSQL cannot be reached, a queue is full, or no worker is running",
      "database_unavailable",
      "PostgreSQL cannot be reached right now; /evaluate keeps answering from the last snapshot. Try again shortly",
    ),
    headers: retryAfter,
  },
  504: failure(
    "The work goes on, but not within the time this call waits",
    "still_running",
    "The training still runs after 10 min; GET /train/jobs/2f0c3d1e-5b7a-4c57-9d0e-1a2b3c4d5e6f shows it",
  ),
} as const;
