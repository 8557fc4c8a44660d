import { z } from "@hono/zod-openapi";
import { HttpError, knownError } from "../errors.ts";
import { header, json, type RouteContext } from "../route.ts";

/** OpenFeature's codes, as far as OFREP uses them. */
const ErrorCode = z.enum(["FLAG_NOT_FOUND", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "PARSE_ERROR", "GENERAL"]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** Why a flag, or the whole call, has no value: the caller's default is to be used. */
export const OfrepFailure = z
  .object({
    key: z.string().optional().describe("Of the flag; left out when the whole bulk call failed"),
    errorCode: ErrorCode,
    errorDetails: z.string().describe("What was tried, what was found, what would work"),
  })
  .meta({ id: "OfrepFailure" });
export type OfrepFailure = z.infer<typeof OfrepFailure>;

/** Our codes of what OFREP has a name for; all others are GENERAL. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  flag_not_found: "FLAG_NOT_FOUND",
  targeting_key_missing: "TARGETING_KEY_MISSING",
  invalid_context: "INVALID_CONTEXT",
  body_too_large: "INVALID_CONTEXT",
  malformed_json: "PARSE_ERROR",
};

/** Statuses OFREP's document does not have, by our code. Clients take an unknown one for a broken server. */
const STATUSES: Readonly<Record<string, number>> = { body_too_large: 400, unknown_environment: 400, overloaded: 429 };

/** Hono's onError below /ofrep: OFREP's body and statuses, and nothing internal goes out. */
export function answerOfrepError(error: Error, c: RouteContext): Response {
  const known = knownError(error, c) ?? new HttpError(500, "internal", "Internal server error.");
  const key = keyIn(c.req.path);
  const body: OfrepFailure = {
    ...(key === undefined ? {} : { key }),
    errorCode: CODES[known.code] ?? "GENERAL",
    errorDetails: known.message,
  };
  const status = STATUSES[known.code] ?? known.status;
  return c.newResponse(JSON.stringify(body), status as 400, { "Content-Type": "application/json", ...known.headers });
}

/** From the path: the route's parameters are not known yet when access is refused. */
function keyIn(path: string): string | undefined {
  const key = /^\/ofrep\/v1\/evaluate\/flags\/([^/]+)$/.exec(path)?.[1];
  try {
    return key && decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** What may be answered instead, for a route's `responses`. */
export function ofrepFailures<Status extends keyof typeof OFREP_FAILURES>(...statuses: Status[]) {
  return Object.fromEntries(statuses.map((status) => [status, OFREP_FAILURES[status]])) as Pick<
    typeof OFREP_FAILURES,
    Status
  >;
}

const failure = (description: string, errorCode: ErrorCode, errorDetails: string, more: object = {}) =>
  json(OfrepFailure, description, { ...more, errorCode, errorDetails });
const retryAfter = { "Retry-After": header("Seconds", "1") };

/** One object a status: the document refers to it by name. */
export const OFREP_FAILURES = {
  400: failure(
    "The body is no JSON object (PARSE_ERROR), the context cannot be used (INVALID_CONTEXT), the decision needs a targeting key (TARGETING_KEY_MISSING), or there is no such environment (GENERAL)",
    "TARGETING_KEY_MISSING",
    '"new-checkout" is decided by user, and the context has no targetingKey; send one',
    { key: "new-checkout" },
  ),
  401: {
    ...failure(
      "No valid token, neither as Authorization nor as X-API-Key",
      "GENERAL",
      "The bearer token has expired; POST /auth/token gives a new one",
    ),
    headers: { "WWW-Authenticate": header("What would work", 'Bearer error="invalid_token"') },
  },
  403: failure(
    "The token does not open this environment",
    "GENERAL",
    'X-Environment asks for "production", but this token only opens "staging"',
  ),
  404: failure(
    "There is no such flag in this environment",
    "FLAG_NOT_FOUND",
    'There is no feature "new-checkot" in the environment production',
    { key: "new-checkot" },
  ),
  429: {
    ...failure(
      "Too much at once",
      "GENERAL",
      "200 evaluations wait for the events of their users already; come again in a second",
    ),
    headers: retryAfter,
  },
  500: failure("Internal error; its cause is in the server's log", "GENERAL", "Internal server error."),
  503: {
    ...failure(
      "The first snapshot is not loaded yet, or PostgreSQL cannot be reached",
      "GENERAL",
      "The first snapshot is not loaded yet; /health/ready says when it is",
    ),
    headers: retryAfter,
  },
} as const;
