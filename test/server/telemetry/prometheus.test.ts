import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listenMetrics } from "../../../server/telemetry/listen-metrics.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";

const missing = ["prometheus", "promtool"].filter((name) => spawnSync(name, ["--version"]).error !== undefined);
if (missing.length > 0)
  process.stdout.write(`Skipped: ${missing.join(" and ")} not found; Debian's package "prometheus" has both\n`);

describe.skipIf(missing.length > 0)("a real Prometheus", () => {
  let server: TestServer;
  let metrics: Awaited<ReturnType<typeof listenMetrics>>;
  beforeAll(async () => {
    server = await startTestServer();
    metrics = await listenMetrics(server.services.metrics, { host: "127.0.0.1", port: 0 });
    const feature = { key: "checkout", name: "checkout", rollout_percentage: 50, ml_enabled: true };
    expect((await server.call("POST", "/features", feature)).status).toBe(201);
    for (let i = 0; i < 8; i += 1)
      await server.call("POST", "/evaluate", { feature_key: "checkout", user: { user_id: `person-${i}` } });
    await server.call("POST", "/evaluate", { feature_key: "nowhere", user: { user_id: "person-0" } });
  });
  afterAll(async () => {
    await metrics.close();
    await server.close();
  });

  it("finds nothing to object to in the text", async () => {
    const input = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
    const { stdout, stderr, status } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect({ said: stdout + stderr, status }).toEqual({ said: "", status: 0 });
  });

  it("accepts the alert rules and the configuration", () => {
    for (const args of [
      ["check", "rules", "deploy/prometheus/alerts.yml"],
      ["check", "config", "deploy/prometheus/prometheus.yml"],
    ]) {
      const { stdout, stderr, status } = spawnSync("promtool", args, { encoding: "utf8" });
      expect(status, stdout + stderr).toBe(0);
    }
  });

  it("scrapes the server and its METRICS_PORT, and answers with the share that fell back", async () => {
    const prometheus = await startPrometheus([server.url, metrics.url].map((url) => new URL(url).host));
    try {
      await waitUntil(async () => (await prometheus.query("sum(up)")) === 2);
      const one = `instance="${new URL(server.url).host}"`;
      const evaluations = `sum(feature_flag_evaluations_total{feature="checkout",${one}})`;
      const fallbacks = `sum(feature_flag_fallbacks_total{feature="checkout",cause="no_model",${one}})`;
      expect(await prometheus.query(evaluations)).toBe(8);
      expect(await prometheus.query(`${fallbacks} / ${evaluations}`)).toBe(1);
      expect(await prometheus.query(`feature_flag_evaluations_total{feature="unknown",${one}}`)).toBe(1);
      const requests = `http_server_request_duration_seconds_count{route="/evaluate",${one}}`;
      expect(await prometheus.query(requests)).toBe(9);
      expect(await prometheus.query("min(database_up)")).toBe(1);
    } finally {
      await prometheus.stop();
    }
  });
});

/** Scrapes every second, keeps its data in a folder that goes with it. */
async function startPrometheus(targets: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "aff-prometheus-"));
  const port = await freePort();
  const configuration = {
    global: { scrape_interval: "1s" },
    scrape_configs: [{ job_name: "adaptive-feature-flags", static_configs: [{ targets }] }],
  };
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(configuration)); // JSON is YAML
  const args = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child: ChildProcess = spawn("prometheus", args, { stdio: "ignore" });
  const exited = once(child, "exit");
  return {
    /** The one value of an instant query; undefined: none, or Prometheus is not up yet. */
    async query(expression: string): Promise<number | undefined> {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
      expect(data.result.length).toBeLessThan(2);
      return data.result[0] && Number(data.result[0].value[1]);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
