/** Failures in a row after which a step is no longer asked. */
export const OPENS_AFTER = 5;

/** Milliseconds until one call is let through again to see whether it works now. */
export const RETRIES_AFTER = 10_000;

/** A step's circuit breaker: the one thing in a snapshot that changes. Shared by the snapshots that follow one another. */
export interface Breaker {
  /** In a row. */
  failures: number;
  /** When it opened, on the engine's clock. */
  openedAt: number;
  /** True while the one call of a half-open breaker is under way. */
  trying: boolean;
}

export function closedBreaker(): Breaker {
  return { failures: 0, openedAt: 0, trying: false };
}

export function isOpen(breaker: Breaker): boolean {
  return breaker.failures >= OPENS_AFTER;
}

/** True when an open breaker lets this call try; the caller then reports how it went, or that it came to nothing. */
export function lets(breaker: Breaker, now: number): boolean {
  if (breaker.trying || now - breaker.openedAt < RETRIES_AFTER) return false;
  breaker.trying = true;
  return true;
}

export function reportSuccess(breaker: Breaker): void {
  breaker.failures = 0;
  breaker.trying = false;
}

/** A call that began before the breaker opened does not keep it open longer. */
export function reportFailure(breaker: Breaker, now: number): void {
  const late = isOpen(breaker) && !breaker.trying;
  breaker.failures += 1;
  breaker.trying = false;
  if (!late) breaker.openedAt = now;
}

/** The call proved nothing either way. */
export function reportNothing(breaker: Breaker): void {
  breaker.trying = false;
}
