import type * as auth from "../http/routes/auth.ts";
import type * as health from "../http/routes/health.ts";
import type * as metrics from "../http/routes/metrics.ts";
import type * as system from "../http/routes/system.ts";
import type { BodyOf, Caller, CallOptions } from "./caller.ts";

/** For those who run the server. Every call rejects with ApiError when it does not succeed. */
export function operationCalls({ call }: Caller) {
  return {
    /** Whether the server should be asked, with details. Rejects with ApiError 503 while it has nothing to serve from. */
    health: (options?: CallOptions) => call<typeof health.ready>("get", "/health/ready", {}, options),
    /** Counters, gauges and timings since the process started. */
    metrics: (options?: CallOptions) =>
      call<typeof metrics.metrics>("get", "/metrics", { headers: { Accept: "application/json" } }, options),
    /** Versions, database, job queue, and the health of every step. */
    system: (options?: CallOptions) => call<typeof system.read>("get", "/system", {}, options),
    /** A bearer token for the issuer key; ApiError 409 where nobody needs one. */
    issueToken: (body: BodyOf<typeof auth.route>, options?: CallOptions) =>
      call<typeof auth.route>("post", "/auth/token", { body }, options),
  };
}
