import type { Timing } from "../core/engine/timing.ts";

/** The process's own clock and timers, for the engine's budgets and breakers. Also a browser's. */
export const systemTiming: Timing = {
  clock: () => performance.now(),
  deadline(milliseconds, expired) {
    const timer = setTimeout(expired, milliseconds);
    return () => clearTimeout(timer);
  },
};
