import type { Config } from "../config.ts";

/** On every answer (CONTRACT.md). Set before the handler runs, or in the answer itself: after `next()` it costs 2-3x. */
const SECURITY = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
} as const;

const JSON_ANSWER = { "Content-Type": "application/json", ...SECURITY } as const;

export interface AnswerHeaders {
  /** Headers of any answer to a request with this Origin. */
  of(origin: string | undefined): Readonly<Record<string, string>>;
  /** The same with the JSON content type. One constant object unless CORS applies: nothing may change it. */
  json(origin: string | undefined): Readonly<Record<string, string>>;
  /** Answers a CORS preflight; undefined when the origin is not allowed. */
  preflight(origin: string | undefined): Readonly<Record<string, string>> | undefined;
}

/** Security headers, and CORS for the origins of `CORS_ALLOWED_ORIGINS` (`*`: any; empty: none). */
export function answerHeaders(config: Pick<Config, "CORS_ALLOWED_ORIGINS">): AnswerHeaders {
  const allowed = new Set(config.CORS_ALLOWED_ORIGINS);
  const any = allowed.has("*");
  const cors = (origin: string | undefined) =>
    origin === undefined || (!any && !allowed.has(origin))
      ? undefined
      : {
          "Access-Control-Allow-Origin": any ? "*" : origin,
          "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After, X-Next-Cursor",
          ...(any ? {} : { Vary: "Origin" }),
        };
  if (allowed.size === 0)
    return {
      of: () => SECURITY,
      json: () => JSON_ANSWER,
      preflight: () => undefined,
    };
  return {
    of: (origin) => ({ ...SECURITY, ...cors(origin) }),
    json: (origin) => ({ ...JSON_ANSWER, ...cors(origin) }),
    preflight(origin) {
      const headers = cors(origin);
      return (
        headers && {
          ...SECURITY,
          ...headers,
          "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
          "Access-Control-Allow-Headers":
            "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, X-API-Key, X-Actor, X-Environment, X-Reason",
          "Access-Control-Max-Age": "600",
        }
      );
    },
  };
}
