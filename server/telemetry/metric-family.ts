import type { Labels } from "../services.ts";
import type { Histogram } from "./histogram.ts";

/** One metric name with all its series. */
export interface Family<Value> {
  readonly name: string;
  readonly series: Map<string, { readonly labels: Labels; readonly value: Value }>;
}

/** All metrics: what the Prometheus text and the JSON snapshot are made from. */
export interface Families {
  readonly counters: ReadonlyMap<string, Family<{ total: number }>>;
  readonly gauges: ReadonlyMap<string, Family<{ read: () => number }>>;
  readonly timers: ReadonlyMap<string, Family<Histogram>>;
}

/** A gauge that cannot be read is not a number, never an error: one broken gauge must not hide all metrics. */
export function readGauge(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}
