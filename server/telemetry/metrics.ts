import type { Labels, Metrics, Sample } from "../services.ts";
import { createHistogram, type Histogram } from "./histogram.ts";
import { type Family, readGauge } from "./metric-family.ts";

/**
 * Plain additions in memory; text is made only when somebody asks for it (docs/decisions/0042-metrics.md).
 *
 * @param options.maxSeries how many series one name may have, default 5,000. Above it a new combination of labels is
 *   counted in its name's series whose labels all read "other", so nothing is lost but the detail.
 */
export function createMetrics({ maxSeries = 5_000 }: { maxSeries?: number } = {}): Metrics {
  const counters = new Map<string, Family<{ total: number; add(by: number): void }>>();
  const gauges = new Map<string, Family<{ read: () => number }>>();
  const timers = new Map<string, Family<Histogram>>();
  const collectors: (() => Promise<readonly Sample[]>)[] = [];

  const find = <Value>(
    families: Map<string, Family<Value>>,
    name: string,
    labels: Labels,
    make: () => Value,
  ): Value => {
    let family = families.get(name);
    if (family === undefined) {
      family = { name, series: new Map() };
      families.set(name, family);
    }
    const key = seriesKey(labels);
    const found = family.series.get(key);
    if (found !== undefined) return found.value;
    if (family.series.size >= maxSeries) return overflow(family, labels, make);
    const value = make();
    family.series.set(key, { labels, value });
    return value;
  };
  const counter = (name: string, labels: Labels = {}) => find(counters, name, labels, createCounter);
  const timer = (name: string, labels: Labels = {}) => find(timers, name, labels, createHistogram);

  return {
    counter,
    timer,
    count: (name, labels, by = 1) => counter(name, labels).add(by),
    timing: (name, milliseconds, labels) => timer(name, labels).record(milliseconds),
    gauge: (name, read, labels = {}) => {
      find(gauges, name, labels, () => ({ read })).read = read;
    },
    collect: (read) => {
      collectors.push(read);
    },
    prometheus: async () => {
      // The serializer and what it pulls in take 0.2 s to load: only a process that is scraped pays that.
      const { prometheusText } = await import("./prometheus-text.ts");
      const samples = await Promise.all(collectors.map((read) => read().catch(() => [])));
      return prometheusText({ counters, gauges: withSamples(gauges, samples.flat()), timers });
    },
    snapshot: () => ({
      counters: flatten(counters, (value) => value.total),
      gauges: flatten(gauges, (value) => readGauge(value.read)),
      timings_ms: flatten(timers, (histogram) => ({
        count: histogram.count,
        mean: histogram.count === 0 ? 0 : histogram.sum / histogram.count,
        p50: histogram.quantile(0.5),
        p95: histogram.quantile(0.95),
        p99: histogram.quantile(0.99),
        max: histogram.max,
      })),
    }),
  };
}

function withSamples(
  gauges: ReadonlyMap<string, Family<{ read: () => number }>>,
  samples: readonly Sample[],
): ReadonlyMap<string, Family<{ read: () => number }>> {
  const all = new Map(gauges);
  for (const { name, labels = {}, value } of samples) {
    const family = all.get(name) ?? { name, series: new Map() };
    all.set(name, family);
    family.series.set(seriesKey(labels), { labels, value: { read: () => value } });
  }
  return all;
}

function createCounter(): { total: number; add(by: number): void } {
  const counter = {
    total: 0,
    add(by: number): void {
      counter.total += by;
    },
  };
  return counter;
}

function overflow<Value>(family: Family<Value>, labels: Labels, make: () => Value): Value {
  const others = Object.fromEntries(Object.keys(labels).map((label) => [label, "other"]));
  const key = seriesKey(others);
  const found = family.series.get(key);
  if (found !== undefined) return found.value;
  const value = make();
  family.series.set(key, { labels: others, value });
  return value;
}

function seriesKey(labels: Labels): string {
  const names = Object.keys(labels).sort();
  return names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(",");
}

function flatten<Value, Out>(families: Map<string, Family<Value>>, read: (value: Value) => Out): Record<string, Out> {
  const out: Record<string, Out> = {};
  for (const family of families.values())
    for (const [key, { value }] of family.series)
      out[key === "" ? family.name : `${family.name}{${key}}`] = read(value);
  return out;
}
