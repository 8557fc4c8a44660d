/**
 * An EventSource cannot send headers, so the address itself is the permission to listen to one environment: signed by HMAC
 * with a key all servers on the database share. It changes only with the revision and once an hour, so that clients keep
 * the connection they have, and opens streams for one to two hours.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** What an address permits. */
export interface StreamGrant {
  readonly environment: string;
  /** The revision its holder has seen. */
  readonly since: number;
  /** Seconds since the epoch. */
  readonly expires: number;
}

/** Milliseconds. */
const PERIOD = 3_600_000;

/** Where a stream of the environment is opened: path and query. `now`: milliseconds since the epoch. */
export function streamAddress(
  key: string,
  { environment, since, now }: { environment: string; since: number; now: number },
) {
  const expires = ((Math.floor(now / PERIOD) + 2) * PERIOD) / 1000;
  const signature = sign(key, { environment, since, expires });
  return `/ofrep/v1/streams/${environment}?since=${since}&expires=${expires}&signature=${signature}`;
}

/** True when the signature is ours for exactly this grant. Whether it has expired is another question. */
export function isSigned(key: string, grant: StreamGrant, signature: string): boolean {
  const expected = Buffer.from(sign(key, grant));
  const found = Buffer.from(signature);
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function sign(key: string, { environment, since, expires }: StreamGrant): string {
  return createHmac("sha256", key).update(`${environment}\n${since}\n${expires}`).digest("base64url");
}
