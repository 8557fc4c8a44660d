import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { openDatabase } from "../../server/postgres/embedded.ts";
import { median } from "./interleave.ts";
import { CONNECTIONS, load } from "./load.ts";
import type { Row } from "./row.ts";
import { type ServerProcess, startBare, startProduct } from "./server-process.ts";
import { makeUser, mixed, NAMES } from "./workload.ts";

const PACKAGE = "unleash-server@8.2.0";
/** Installed there once, and kept: 200 MB that nobody who does not run this bench should wait for. */
const CACHE = join(tmpdir(), `adaptive-feature-flags-bench-${PACKAGE}`);
const INSTALL_MS = 300_000;
const START_MS = 120_000;
const ADMIN = "*:*.bench-admin-token";
const FRONTEND = "*:development.bench-frontend-token";
const SECONDS = 2;
const ROUNDS = 5;
const FEATURES = 100;
/** Few enough that all their exposures are stored after the warm-up round: unleash-server stores none. */
const USERS_A_CONNECTION = 10;

/** `POST /evaluate` beside the frontend API of unleash-server, which decides every feature of an environment for one user. */
export async function benchUnleashServer(): Promise<Row[]> {
  const entry = await install().catch((error: Error & { readonly stderr?: string }) => {
    const why = /npm error .+/.exec(error.stderr ?? "")?.[0] ?? error.message.split("\n")[0];
    console.error(`unleash-server is not measured: ${PACKAGE} could not be installed (${why})`);
  });
  if (entry === undefined) return [];
  const product = await startProduct();
  const bare = await startBare();
  const unleash = await startUnleash(entry).catch(async (error: unknown) => {
    await bare.stop();
    await product.stop();
    throw error;
  });
  try {
    await createFeatures(product, unleash, 0, 1);
    const one = await compare(product, unleash, "/evaluate", { feature_key: NAMES[0] });
    const none = await compare(bare, unleash, "/evaluate", { feature_key: NAMES[0] });
    await createFeatures(product, unleash, 1, FEATURES);
    const all = await compare(product, unleash, "/evaluate/batch", {});
    return [
      row("POST /evaluate, 1 feature", one, { atLeast: 7 }),
      // What a server on Hono could reach at most on this machine.
      row("bare hono, which decides nothing", none),
      row(`POST /evaluate/batch, all of ${FEATURES} features`, all, { atLeast: 4 }),
    ];
  } finally {
    await bare.stop();
    await unleash.stop();
    await product.stop();
  }
}

/** The server's program. */
async function install(): Promise<string> {
  const entry = join(CACHE, "node_modules", "unleash-server", "dist", "server.js");
  if (existsSync(entry)) return entry;
  console.error(`installing ${PACKAGE} in ${CACHE} ...`);
  const args = ["install", "--prefix", CACHE, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", PACKAGE];
  await promisify(execFile)("npm", args, { timeout: INSTALL_MS });
  return entry;
}

/** On an embedded PostgreSQL of its own, as ours; its limits on requests a minute are lifted. */
async function startUnleash(entry: string): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), "aff-bench-unleash-"));
  const database = await openDatabase({ dataDir: directory });
  const port = await freePort();
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: "production",
      DATABASE_URL: database.url,
      DATABASE_SSL: "false",
      HTTP_HOST: "127.0.0.1",
      HTTP_PORT: String(port),
      INIT_ADMIN_API_TOKENS: ADMIN,
      INIT_FRONTEND_API_TOKENS: FRONTEND,
      SDK_API_RATE_LIMIT_PER_MINUTE: "100000000",
      TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE: "100000000",
      CHECK_VERSION: "false",
      SEND_TELEMETRY: "false",
      LOG_LEVEL: "error",
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  process.once("exit", () => child.kill("SIGKILL"));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    await database.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await until(START_MS, "unleash-server does not start", async () => (await fetch(`${url}/health`)).ok);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** The same features, `from` to `to` of the workload's mixed ones, in both; waits until the frontend API knows them. */
async function createFeatures(product: ServerProcess, unleash: ServerProcess, from: number, to: number): Promise<void> {
  const admin = (path: string, body: object) =>
    post(`${unleash.url}/api/admin/projects/default/features${path}`, body, ADMIN);
  for (let i = from; i < to; i += 1) {
    const name = NAMES[i] ?? "";
    await post(`${product.url}/features`, mixed(i));
    await admin("", { name, type: "release" });
    for (const strategy of strategiesOf(i)) await admin(`/${name}/environments/development/strategies`, strategy);
    await admin(`/${name}/environments/development/on`, {});
  }
  await until(START_MS, "unleash-server does not serve its features", async () => {
    const seen = new Set<string>();
    for (let user = 0; user < 40; user += 1) for (const { name } of await toggles(unleash, user)) seen.add(name);
    return seen.size === to;
  });
  await check(product, unleash);
}

/** `mixed` of the workload in unleash's words. */
function strategiesOf(i: number): readonly object[] {
  const groupId = NAMES[i];
  const rollout = (percentage: number) => ({
    name: "flexibleRollout",
    parameters: { rollout: String(percentage), stickiness: "userId", groupId },
    constraints: [],
  });
  if (i % 10 < 7) return [rollout(25)];
  const german = { contextName: "country", operator: "IN", values: ["de"], inverted: false, caseInsensitive: false };
  return [
    { name: "flexibleRollout", parameters: { rollout: "100", stickiness: "userId", groupId }, constraints: [german] },
    rollout(50),
  ];
}

/** Throws unless both switch on about as much. */
async function check(product: ServerProcess, unleash: ServerProcess): Promise<void> {
  let [ours, theirs, features] = [0, 0, 0];
  for (let i = 0; i < 100; i += 1) {
    const { results } = (await post(`${product.url}/evaluate/batch`, { user: makeUser(i) })) as Batch;
    ours += results.filter(({ enabled }) => enabled).length;
    features += results.length;
    theirs += (await toggles(unleash, i)).length;
  }
  if (Math.abs(ours - theirs) / features > 0.15)
    throw new Error(`Ours switches on ${ours} of ${features}, unleash-server ${theirs}: they do not do the same work`);
}

interface Batch {
  readonly results: readonly { readonly enabled: boolean }[];
}

async function toggles({ url }: ServerProcess, user: number): Promise<readonly { readonly name: string }[]> {
  const answer = (await post(`${url}/api/frontend`, { context: contextOf(user) }, FRONTEND)) as {
    toggles: { name: string }[];
  };
  return answer.toggles;
}

function contextOf(i: number): object {
  const { user_id, ...properties } = makeUser(i);
  const texts = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]));
  return { userId: user_id, properties: texts };
}

interface Compared {
  readonly ours: number;
  readonly theirs: number;
}

/** Medians of interleaved rounds; each connection asks for the same users again and again. */
async function compare(product: ServerProcess, unleash: ServerProcess, path: string, asked: object): Promise<Compared> {
  const own = bodies((user) => ({ ...asked, user: makeUser(user) }));
  const other = bodies((user) => ({ context: contextOf(user) }));
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -1; round < ROUNDS; round += 1) {
    const ours = await load(`${product.url}${path}`, { bodies: own, seconds: SECONDS });
    const theirs = await load(`${unleash.url}/api/frontend`, { bodies: other, seconds: SECONDS, token: FRONTEND });
    if (round < 0) continue;
    rates.ours.push(ours.perSecond);
    rates.theirs.push(theirs.perSecond);
  }
  return { ours: median(rates.ours), theirs: median(rates.theirs) };
}

function bodies(body: (user: number) => object): (connection: number) => readonly string[] {
  const lists = Array.from({ length: CONNECTIONS }, (_, connection) =>
    Array.from({ length: USERS_A_CONNECTION }, (__, i) => JSON.stringify(body(connection * USERS_A_CONNECTION + i))),
  );
  return (connection) => lists[connection] ?? [];
}

function row(what: string, { ours, theirs }: Compared, target?: Row["target"]): Row {
  const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString("en")} req/s`;
  return {
    what,
    ours: rate(ours),
    other: `${rate(theirs)} (unleash-server)`,
    ratio: ours / theirs,
    ...(target === undefined ? {} : { target }),
  };
}

async function post(url: string, body: object, token?: string): Promise<unknown> {
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: token }) };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text.slice(0, 300)}`);
  return text === "" ? undefined : JSON.parse(text);
}

async function until(milliseconds: number, otherwise: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${otherwise} within ${milliseconds / 1000} s`);
    await pause(200);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
