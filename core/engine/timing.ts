/**
 * Time, as the engine is given it: it has none of its own. Without it nothing is measured: no budgets, no circuit
 * breaker, and a promise is waited for as long as it takes. Servers always pass one.
 */
export interface Timing {
  /** Milliseconds on a clock that never goes back, with fractions (`performance.now`). */
  readonly clock: () => number;
  /** Calls `expired` after so many milliseconds unless the returned function is called first (`setTimeout`). */
  readonly deadline: (milliseconds: number, expired: () => void) => () => void;
}
