/** Milliseconds. */
const FIRST = 500;
const MOST = 30_000;

/**
 * Milliseconds before the next attempt: doubling from half a second to half a minute, of which a random half is taken off so
 * that clients of a server that was away do not all come back at once. Never less than the server asked for.
 *
 * @param failures attempts that failed in a row, from 1
 */
export function backoff(failures: number, retryAfter = 0): number {
  const whole = Math.min(MOST, FIRST * 2 ** (failures - 1));
  return retryAfter + whole * (0.5 + Math.random() / 2);
}
