import process from "node:process";
import { clearInterval, setInterval } from "node:timers";
import type { Metrics } from "../services.ts";

/** Between two looks at the event loop, milliseconds. */
const BEAT = 100;

/** Memory and start of this process as gauges, and how late its event loop is as a timing, until stopped. */
export function observeProcess(metrics: Pick<Metrics, "gauge" | "timer">): { stop(): void } {
  metrics.gauge("process_resident_memory_bytes", () => process.memoryUsage().rss);
  metrics.gauge("process_heap_used_bytes", () => process.memoryUsage().heapUsed);
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.gauge("process_start_time_seconds", () => startedAt);

  const lag = metrics.timer("event_loop_lag");
  let due = performance.now() + BEAT;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.record(Math.max(0, now - due));
    due = now + BEAT;
  }, BEAT);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
