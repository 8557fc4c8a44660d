import { ValueType } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { emptyResource } from "@opentelemetry/resources";
import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { BOUNDS, type Histogram } from "./histogram.ts";
import { DESCRIPTIONS } from "./metric-descriptions.ts";
import { type Families, type Family, readGauge } from "./metric-family.ts";

/**
 * The Prometheus text exposition format, written by OpenTelemetry's serializer from our own aggregates in
 * OpenTelemetry's data model. Timers become histograms in seconds.
 */
export function prometheusText({ counters, gauges, timers }: Families): string {
  const now = toTime(Date.now());
  const metrics: MetricData[] = [];
  for (const family of counters.values())
    metrics.push({
      ...described(family.name),
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: points(family, (value) => value.total),
    });
  for (const family of gauges.values())
    metrics.push({
      ...described(family.name),
      dataPointType: DataPointType.GAUGE,
      dataPoints: points(family, (value) => readGauge(value.read)),
    });
  for (const family of timers.values())
    metrics.push({
      ...described(`${family.name}_seconds`),
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: points(family, inSeconds),
    });
  const resourceMetrics = {
    resource: emptyResource(),
    scopeMetrics: [{ scope: { name: "adaptive-feature-flags" }, metrics }],
  };
  return `${serializer.serialize(resourceMetrics).trimEnd()}\n`;

  function points<Value, Out>(family: Family<Value>, read: (value: Value) => Out): DataPoint<Out>[] {
    return [...family.series.values()].map(({ labels, value }) => ({
      startTime: now,
      endTime: now,
      attributes: labels,
      value: read(value),
    }));
  }
}

// No prefix, no timestamps, no resource labels, no target_info, no otel_scope_* on every line.
const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);

/** Every fourth bound: three a decade are plenty for alerting and keep a scrape small. */
const EVERY = 4;
const SECONDS = BOUNDS.filter((_, i) => i % EVERY === 0).map((bound) => Number((bound / 1000).toPrecision(3)));

function inSeconds(histogram: Histogram) {
  const counts = new Array<number>(SECONDS.length + 1).fill(0);
  histogram.counts.forEach((count, i) => {
    const bucket = Math.ceil(i / EVERY);
    counts[bucket] = (counts[bucket] ?? 0) + count;
  });
  return { buckets: { boundaries: SECONDS, counts }, sum: histogram.sum / 1000, count: histogram.count };
}

function described(name: string) {
  const descriptor = { name, description: DESCRIPTIONS[name] ?? "", unit: "", valueType: ValueType.DOUBLE };
  return { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
}

function toTime(milliseconds: number): [number, number] {
  return [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1e6];
}
