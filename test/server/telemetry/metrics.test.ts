import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../server/telemetry/metrics.ts";

describe("createMetrics()", () => {
  it("prints counters, gauges and timings as Prometheus text", async () => {
    const metrics = createMetrics();
    metrics.count("events_stored_total", { source: 'shop "one"\n' }, 3);
    metrics.counter("events_stored_total", { source: 'shop "one"\n' }).add(2);
    metrics.gauge("snapshot_revision", () => 7, { environment: "production" });
    for (const milliseconds of [0.5, 5, 50]) metrics.timing("http_server_request_duration", milliseconds);

    const text = await metrics.prometheus();

    expect(text).toContain("# HELP events_stored_total Events stored, duplicates not counted.\n");
    expect(text).toContain("# TYPE events_stored_total counter\n");
    expect(text).toContain('events_stored_total{source="shop \\"one\\"\\n"} 5\n');
    expect(text).toContain('snapshot_revision{environment="production"} 7\n');
    expect(text).toContain("# TYPE http_server_request_duration_seconds histogram\n");
    expect(text).toContain("http_server_request_duration_seconds_count 3\n");
    expect(text).toContain("http_server_request_duration_seconds_sum 0.0555\n");
    expect(text).toContain('http_server_request_duration_seconds_bucket{le="0.0047"} 1\n');
    expect(text).toContain('http_server_request_duration_seconds_bucket{le="0.01"} 2\n');
    expect(text).toContain('http_server_request_duration_seconds_bucket{le="+Inf"} 3\n');
  });

  it("finds the same series whatever the order of the labels", () => {
    const metrics = createMetrics();
    metrics.count("jobs_total", { a: "1", b: "2" });
    metrics.count("jobs_total", { b: "2", a: "1" });
    expect(metrics.snapshot().counters).toEqual({ 'jobs_total{a="1",b="2"}': 2 });
  });

  it("counts combinations beyond the bound as other, and loses none", () => {
    const metrics = createMetrics({ maxSeries: 10 });
    for (let i = 0; i < 1000; i += 1) metrics.count("requests_total", { feature: `f${i}` });
    const { counters } = metrics.snapshot();
    expect(Object.keys(counters)).toHaveLength(11);
    expect(counters['requests_total{feature="other"}']).toBe(990);
  });

  it("shows a gauge that cannot be read as NaN beside the others", async () => {
    const metrics = createMetrics();
    metrics.gauge("broken", () => {
      throw new Error("no connection");
    });
    metrics.gauge("sound", () => 1);
    expect(metrics.snapshot().gauges).toEqual({ broken: Number.NaN, sound: 1 });
    expect(await metrics.prometheus()).toContain("broken NaN\n");
  });

  it("replaces a gauge's reader when it is registered again", () => {
    const metrics = createMetrics();
    metrics.gauge("waiting", () => 1);
    metrics.gauge("waiting", () => 2);
    expect(metrics.snapshot().gauges).toEqual({ waiting: 2 });
  });

  it("estimates quantiles within 10 %", () => {
    const metrics = createMetrics();
    // Squares spread the values over four decades.
    const values = Array.from({ length: 5000 }, (_, i) => (i + 1) ** 2 / 1000);
    for (const value of values) metrics.timing("fit", value);
    const { fit } = metrics.snapshot().timings_ms;
    for (const [quantile, share] of [
      ["p50", 0.5],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? Number.NaN;
      expect(Math.abs((fit?.[quantile] ?? 0) / exact - 1)).toBeLessThan(0.1);
    }
    expect(fit?.max).toBe(25_000);
    expect(fit?.count).toBe(5000);
  });
});
