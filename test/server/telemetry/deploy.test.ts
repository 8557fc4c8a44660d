import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DESCRIPTIONS } from "../../../server/telemetry/metric-descriptions.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

/** Counted by workers only, and once something happened there: test/workers/ and otlp.test.ts see them. */
const BY_WORKERS = ["training_jobs_total", "model_checks_total", "model_moves_total"];

let server: TestServer;
/** What a server that has a model shows, with the names histograms are queried by. */
let shown: ReadonlySet<string>;
beforeAll(async () => {
  server = await startTestServer();
  await server.call("POST", "/features", { key: "checkout", name: "checkout", ml_enabled: true });
  await server.call("POST", "/evaluate", { feature_key: "checkout", user: { user_id: "ada" } });
  await server.call("POST", "/ingest/events", { source: "test", events: [{ user_id: "ada" }] });
  await server.call("POST", "/exposures", { exposures: [{ user_id: "ada" }] });
  await storeModel(server);
  const text = await server.services.metrics.prometheus();
  shown = new Set(text.split("\n").flatMap((line) => /^([a-z_]+)[{ ]/.exec(line)?.[1] ?? []));
});
afterAll(() => server.close());

describe("deploy/", () => {
  for (const [file, expressions] of [...dashboards(), alerts()])
    it(`${file} asks for metrics that exist`, () => {
      expect(expressions.length).toBeGreaterThan(10);
      const named = new Set(expressions.flatMap(metricsOf));
      const unknown = [...named].filter((name) => !shown.has(name) && !BY_WORKERS.includes(name));
      expect(unknown).toEqual([]);
    });

  it("would find one that does not", () => {
    expect(metricsOf('sum by (le, x) (rate(nothing_total{reason=~"5.."}[5m])) / on (a) other{b="c"} > 0.5')).toEqual([
      "nothing_total",
      "other",
    ]);
  });
});

describe("GET /metrics", () => {
  it("describes every metric it shows, and shows every one it describes", () => {
    const plain = new Set([...shown].map((name) => name.replace(/(_seconds)_(bucket|sum|count)$/, "$1")));
    expect([...plain].filter((name) => !DESCRIPTIONS[name])).toEqual([]);
    expect(Object.keys(DESCRIPTIONS).filter((name) => !plain.has(name) && !BY_WORKERS.includes(name))).toEqual([]);
  });
});

function dashboards(): [string, string[]][] {
  return readdirSync("deploy/grafana").map((file) => {
    const { panels } = JSON.parse(readFileSync(`deploy/grafana/${file}`, "utf8")) as {
      panels: { targets: { expr: string }[] }[];
    };
    return [`grafana/${file}`, panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
  });
}

/** Whatever follows `expr:`, up to the next key. */
function alerts(): [string, string[]] {
  const text = readFileSync("deploy/prometheus/alerts.yml", "utf8");
  return ["prometheus/alerts.yml", [...text.matchAll(/expr: \|?([\s\S]*?)\n {8}\w+:/g)].map(([, expr = ""]) => expr)];
}

/** The metrics a PromQL expression names: its words without labels, ranges, groupings, functions and numbers. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  return [...bare.matchAll(/\b[a-z_][a-z0-9_:]*\b(?!\s*\()/gi)]
    .map(([word]) => word)
    .filter((word) => !["and", "or", "unless", "bool", "offset", "sum", "max", "min"].includes(word));
}

async function storeModel({ database: { sql } }: TestServer): Promise<void> {
  await sql`
    insert into models (environment, version, feature_key, number, status, learner, trained_at, artifact, hash, seed, metrics,
      process, verdict, traffic)
    values ('production', 'checkout@1', 'checkout', 1, 'live', 'logistic', now(), '{}', '', 1, '{"ece": 0.02}', '{}', '', 1)`;
  await sql`
    insert into model_checks (environment, version, health, report)
    values ('production', 'checkout@1', 'fresh',
      '{"psi": [{"name": "score", "psi": 0.1}], "calibration": {"stated": 0.3, "observed": 0.4}}')`;
  await sql`insert into training_jobs (environment, request) values ('production', '{}')`;
  await sql`select graphile_worker.add_job('nothing')`;
}
