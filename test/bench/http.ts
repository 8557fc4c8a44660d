import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { median } from "./interleave.ts";
import { CONNECTIONS, load } from "./load.ts";
import type { Row } from "./row.ts";
import { type ServerProcess, startBare, startProduct } from "./server-process.ts";
import { makeUser } from "./workload.ts";

const SECONDS = 2;
const ROUNDS = 5;
/** Users a connection: few enough to be known after the warm-up, and more than one connection asks about in a round. */
const KNOWN = 300;
const FRESH = 1500 * SECONDS;
/** Requests a second at which latency is measured: well below what either server can do. */
const RATE = 3000;

/** POST /evaluate of the whole product, in a process of its own, beside a bare Hono route; the load comes from here. */
export async function benchHttp(): Promise<Row[]> {
  const collector = await startSink();
  const bare = await startBare();
  const product = await startProduct();
  try {
    await createFeature(product.url, { key: "checkout", name: "checkout", rollout_percentage: 25 });
    return [
      ...(await throughput({ bare, product })),
      ...(await telemetry(product, collector.url)),
      ...(await latency({ bare, product })),
    ];
  } finally {
    for (const started of [bare, product, collector]) await started.stop();
  }
}

/** What may be exported, and the least share of the throughput without a collector that should be left; undefined: no target. */
const EXPORTS: Readonly<Record<string, { settings: Readonly<Record<string, string>>; atLeast?: number }>> = {
  "a collector, traces at 0 %": { settings: { OTEL_TRACES_SAMPLER_ARG: "0" }, atLeast: 0.95 },
  "a collector, traces at 1 %": { settings: { OTEL_TRACES_SAMPLER_ARG: "0.01" }, atLeast: 0.9 },
  "a collector, traces at 100 %": { settings: { OTEL_TRACES_SAMPLER_ARG: "1" } },
  "traces at 1 %, every decision logged": { settings: { OTEL_TRACES_SAMPLER_ARG: "0.01", OTEL_LOGS_EXPORTER: "otlp" } },
};

/** The product with a collector beside the product without one; medians of each round's ratio. */
async function telemetry(product: ServerProcess, collector: string): Promise<Row[]> {
  const known = users(KNOWN);
  const rows: Row[] = [];
  for (const [what, { settings, atLeast }] of Object.entries(EXPORTS)) {
    const traced = await startProduct({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      ...settings,
    });
    try {
      await createFeature(traced.url, { key: "checkout", name: "checkout", rollout_percentage: 25 });
      const at = async ({ url }: ServerProcess) =>
        (await load(`${url}/evaluate`, { bodies: known, seconds: 1 })).perSecond;
      const ratios: number[] = [];
      const seen = { with: [] as number[], without: [] as number[] };
      // The product is warm already. Many short rounds: what is looked for is smaller than a machine's moods.
      for (let round = -4; round < 3 * ROUNDS; round += 1) {
        // Each goes first in every other round: what the first leaves behind to do slows the second.
        const before = round % 2 === 0 ? await at(product) : undefined;
        const own = await at(traced);
        const without = before ?? (await at(product));
        if (round < 0) continue;
        ratios.push(own / without);
        seen.with.push(own);
        seen.without.push(without);
      }
      rows.push({
        what: `POST /evaluate, ${what}`,
        ours: rate(median(seen.with)),
        other: `${rate(median(seen.without))} (ours, no collector)`,
        ratio: median(ratios),
        ...(atLeast === undefined ? {} : { target: { atLeast } }),
      });
    } finally {
      await traced.stop();
    }
  }
  return rows;
}

/** Known users are stored once and then recognised; of new users every single evaluation is stored. */
async function throughput(servers: { bare: ServerProcess; product: ServerProcess }) {
  const known = users(KNOWN);
  const perSecond = { bare: [], product: [], bareNew: [], productNew: [] } as Record<string, number[]>;
  for (let round = -1; round < ROUNDS; round += 1) {
    const fresh = users(FRESH);
    for (const [name, server, bodies] of [
      ["bare", servers.bare, known],
      ["product", servers.product, known],
      ["bareNew", servers.bare, fresh],
      ["productNew", servers.product, fresh],
    ] as const) {
      const { perSecond: rate } = await load(`${server.url}/evaluate`, { bodies, seconds: SECONDS });
      if (round >= 0) perSecond[name]?.push(rate);
    }
  }
  const of = (name: string) => median(perSecond[name] ?? []);
  const lost = await dropped(servers.product.url);
  if (lost > 0)
    throw new Error(`${lost} exposures were dropped: what was measured is not one stored exposure a request`);
  return [
    {
      what: "POST /evaluate, users seen today",
      ours: rate(of("product")),
      other: `${rate(of("bare"))} (bare hono)`,
      ratio: of("product") / of("bare"),
      target: { atLeast: 0.9 },
    },
    {
      what: "POST /evaluate, each storing an exposure",
      ours: rate(of("productNew")),
      other: `${rate(of("product"))} (ours, none stored)`,
      ratio: of("productNew") / of("bareNew") / (of("product") / of("bare")),
      target: { atLeast: 0.9 },
    },
  ] satisfies Row[];
}

async function latency({ bare, product }: { bare: ServerProcess; product: ServerProcess }): Promise<Row[]> {
  const bodies = users(KNOWN);
  const at = (server: ServerProcess) => load(`${server.url}/evaluate`, { bodies, seconds: SECONDS, rate: RATE });
  const quiet = { bare: [] as number[], product: [] as number[] };
  for (let round = -1; round < ROUNDS; round += 1) {
    const loads = { bare: await at(bare), product: await at(product) };
    if (round < 0) continue;
    quiet.bare.push(loads.bare.p99);
    quiet.product.push(loads.product.p99);
  }
  await sendHistory(product.url);
  const training = { bare: [] as number[], product: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    training.product.push((await whileTraining(product.url, () => at(product))).p99);
    // The same work on the same cores, but in another process: what is left is what training does to its own.
    training.bare.push((await whileTraining(product.url, () => at(bare))).p99);
  }
  const row = (what: string, p99: number, base: number, beside: string): Row => ({
    what,
    ours: `${p99.toFixed(2)} ms`,
    other: `${base.toFixed(2)} ms (${beside})`,
    ratio: p99 / base,
    target: { atMost: 1.5 },
  });
  const alone = median(quiet.bare);
  const trained = `p99 at ${RATE} req/s while a model trains`;
  return [
    row(`p99 at ${RATE} req/s`, median(quiet.product), alone, "bare hono"),
    row(trained, median(training.product), alone, "bare hono, alone"),
    row(trained, median(training.product), median(training.bare), "bare hono, beside the training"),
  ];
}

/** Bodies of users that no other call gets: so many for each connection. */
function users(perConnection: number): (connection: number) => readonly string[] {
  const lists = Array.from({ length: CONNECTIONS }, () =>
    Array.from({ length: perConnection }, () => {
      nextUser += 1;
      return JSON.stringify({ feature_key: "checkout", user: makeUser(nextUser) });
    }),
  );
  return (connection) => lists[connection] ?? [];
}

let nextUser = 0;

/** 40,000 views over 20 days; users of some plans and pages buy an hour after. Enough for a training that takes a while. */
async function sendHistory(url: string): Promise<void> {
  await createFeature(url, { key: "learning", name: "learning", rollout_percentage: 50, ml_enabled: true });
  const start = Date.now() - 20 * 86_400_000;
  for (let batch = 0; batch < 20; batch += 1) {
    const events = Array.from({ length: 2000 }, (_, i) => {
      const visit = batch * 2000 + i;
      const user = visit % 20_000;
      const buys = (user * 7919) % 10 < (user % 2) * 4 + 1;
      const at = (milliseconds: number) => new Date(start + visit * 40_000 + milliseconds).toISOString();
      const properties = { plan: user % 2 === 0 ? "free" : "team", pages: user % 9 };
      const common = { user_id: `user-${user}`, feature_key: "learning", properties };
      const view = { ...common, event_type: "view", timestamp: at(0) };
      return buys ? [view, { ...common, event_type: "transaction", timestamp: at(3_600_000) }] : [view];
    });
    await post(`${url}/ingest/events`, { source: "bench", events: events.flat() });
  }
}

/** Keeps a training job running for as long as `work` takes. */
async function whileTraining<T>(url: string, work: () => Promise<T>): Promise<T> {
  let over = false;
  let trained = 0;
  const training = (async () => {
    while (!over) {
      const { job_id } = (await post(`${url}/train/async`, { feature_key: "learning", window_seconds: 86_400 })) as {
        job_id: string;
      };
      for (;;) {
        const job = (await (await fetch(`${url}/train/jobs/${job_id}`)).json()) as { status: string; error?: unknown };
        if (job.status === "failed") throw new Error(`Training failed: ${JSON.stringify(job.error)}`);
        if (job.status !== "queued" && job.status !== "running") break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      trained += 1;
    }
  })();
  const result = await work().finally(() => {
    over = true;
  });
  await training;
  if (trained === 0) throw new Error("No training ran while latency was measured");
  return result;
}

async function dropped(url: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { accept: "application/json" } });
  const { counters } = (await answer.json()) as { counters: Record<string, number> };
  return Object.entries(counters)
    .filter(([name]) => name.startsWith("exposures_dropped_total"))
    .reduce((sum, [, count]) => sum + count, 0);
}

function createFeature(url: string, feature: object): Promise<unknown> {
  return post(`${url}/features`, feature);
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** Takes traces and logs and throws them away. */
async function startSink(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en")} req/s`;
}
