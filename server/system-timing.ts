import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import type { Timing } from "../core/engine/timing.ts";

/** The process's own clock and timers, for the engine's budgets and breakers. */
export const systemTiming: Timing = {
  clock: () => performance.now(),
  deadline(milliseconds, expired) {
    const timer = setTimeout(expired, milliseconds);
    return () => clearTimeout(timer);
  },
};
