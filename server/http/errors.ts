import { getLogger } from "@logtape/logtape";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { Conflict, Invalid, Overloaded, StaleVersion } from "../../core/ports.ts";
import type { RouteContext } from "./route.ts";

const log = getLogger(["adaptive", "http"]);

export interface FieldError {
  /** Dotted path into the body or the query. */
  readonly field: string;
  readonly message: string;
}

/** An answer other than success. `code` is stable; `message` says what was tried, what was found and what would work. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  readonly code: string;
  readonly more: { readonly field?: string; readonly errors?: readonly FieldError[] };
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    code: string,
    message: string,
    options: { field?: string; errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    const { headers, ...more } = options;
    this.status = status;
    this.code = code;
    this.more = more;
    this.headers = headers ?? {};
  }
}

/** `notFound("feature", "checkout")`: 404 with the contract's code. */
export function notFound(what: string, name: string): HttpError {
  return new HttpError(404, "not_found", `There is no ${what} "${name}" in this environment`);
}

export function databaseUnavailable(): HttpError {
  return new HttpError(
    503,
    "database_unavailable",
    "PostgreSQL cannot be reached right now; /evaluate keeps answering from the last snapshot. Try again shortly",
    { headers: { "Retry-After": "5" } },
  );
}

/** Hono's onError: every thrown thing becomes `{"detail": ...}`, and nothing internal goes out. */
export function answerError(error: Error, c: RouteContext): Response {
  const known = knownError(error, c);
  if (known === undefined)
    return c.newResponse('{"detail":"Internal server error."}', 500, { "Content-Type": "application/json" });
  const detail = { code: known.code, message: known.message, ...known.more };
  return c.newResponse(JSON.stringify({ detail }), known.status as 400, {
    "Content-Type": "application/json",
    ...known.headers,
  });
}

/** The answer that stands for what was thrown; undefined: a fault of ours. What the caller cannot mend is logged. */
export function knownError(error: Error, c: RouteContext): HttpError | undefined {
  const known = toHttpError(error);
  if (known === undefined)
    log.error("{method} {path} failed: {error}", { method: c.req.method, path: c.req.path, error });
  else if (known.code === "database_unavailable" && known !== error)
    log.warning("{method} {path}: the database cannot be reached: {error}", {
      method: c.req.method,
      path: c.req.path,
      error,
    });
  return known;
}

function toHttpError(error: Error): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof Invalid)
    return new HttpError(
      422,
      error.code,
      error.message,
      error.field === undefined ? {} : { field: dotted(error.field) },
    );
  if (error instanceof Conflict) return new HttpError(409, error.code, error.message);
  if (error instanceof StaleVersion)
    return new HttpError(412, "stale_version", error.message, { headers: { ETag: `"${error.stored}"` } });
  if (error instanceof Overloaded)
    return new HttpError(503, "overloaded", error.message, { headers: { "Retry-After": "1" } });
  if (error instanceof z.ZodError) return validationError(error);
  if (error instanceof HTTPException) return new HttpError(error.status, "refused", error.message);
  if (isUnstorableText(error))
    return new HttpError(
      422,
      "invalid_text",
      "A text holds a NUL character, which PostgreSQL cannot store; leave it out",
    );
  return isDatabaseUnreachable(error) ? databaseUnavailable() : undefined;
}

/** Which texts come to a query is not known here: one refusal for all of them. 22P05: as `\u0000` in JSON. */
function isUnstorableText(error: Error): boolean {
  return "code" in error && (error.code === "22021" || error.code === "22P05");
}

/** `/steps/0/config` as the validation errors spell it: `steps.0.config`. */
function dotted(pointer: string): string {
  return pointer.replace(/^\//, "").replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
}

/** 422 that lists each field; `field` is the first one. */
export function validationError(error: z.ZodError): HttpError {
  const errors = error.issues.flatMap((issue) => flatten(issue, []));
  const first = errors[0] ?? { field: "", message: "is not valid" };
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : "";
  return new HttpError(422, "validation_error", `${first.field || "body"}: ${first.message}${more}`, {
    field: first.field,
    errors: errors.slice(0, 100),
  });
}

/** The branches of a union are only worth naming when there is exactly one that nearly fits. */
function flatten(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ field: [...path, key].join("."), message: "is not a known field" }));
  if (issue.code === "invalid_union") {
    const deepest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0];
    if (deepest !== undefined && depth(deepest) > 0) return deepest.flatMap((inner) => flatten(inner, path));
  }
  return [{ field: path.join("."), message: issue.message }];
}

const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map((issue) => issue.path.length));

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "DATABASE_LOST",
  "57P02", // crash_shutdown, a warning before the connection closes
]);

/** True when the database itself is away, for what answers without it too. */
export function isDatabaseUnreachable(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnreachable)) return true;
  if (!(error instanceof Error && "code" in error)) return false;
  // FATAL: the server refuses or ends the connection, whatever the reason.
  if ("severity" in error && (error.severity === "FATAL" || error.severity === "PANIC")) return true;
  // The Unix socket of a stopped PostgreSQL is a missing file; any other missing file is not the database.
  if (error.code === "ENOENT") return "syscall" in error && error.syscall === "connect";
  return UNREACHABLE.has(String(error.code));
}
