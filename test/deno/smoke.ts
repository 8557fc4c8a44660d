/**
 * The whole product under Deno, as a user meets it: started with an embedded database of its own, asked over HTTP, stopped
 * by SIGTERM. `deno run -A test/deno/smoke.ts`; ends with 1 and says why when something is not as it should be.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createLocalEvaluation } from "../../server/client/local-evaluation.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HOUR = 3_600_000;
const FEATURE = "smoke-offer";
const USERS = 600;
const VISITORS = 50;

const dataDir = await mkdtemp(join(tmpdir(), "aff-smoke-"));
const server = start();
try {
  const url = await readyUrl();
  say(`serves at ${url}`);
  await create(url);
  await fallsBack(url);
  await ingest(url);
  await train(url);
  await modelDecides(url);
  await experimentDecides(url);
  await decidesLocally(url);
  const stream = await tellsOfChanges(url);
  const database = await postmaster();
  await stop();
  assert((await stream.read()).done, "The event stream goes on without a server");
  assert(!isAlive(database), `PostgreSQL (process ${database}) is still there`);
  say("stopped, and PostgreSQL with it");
} catch (error) {
  say(`FAILED: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
  await stop().catch(() => server.kill("SIGKILL"));
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

function start(): ChildProcess {
  // Whatever this shell has set for another server must not reach this one.
  const { PATH, HOME, TMPDIR } = process.env;
  return spawn(process.execPath, ["run", "-A", "workers/main.ts", "--serve"], {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** From the line the server prints when it is ready. */
function readyUrl(): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const late = setTimeout(() => reject(new Error(`Not ready after 90 s, printed: ${output}`)), 90_000);
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const url = /http:\/\/[\w.[\]:]+:\d+/.exec(output)?.[0];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
    server.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`Ended with ${code} before it was ready, printed: ${output}`));
    });
  });
}

async function create(url: string): Promise<void> {
  const feature = {
    key: FEATURE,
    name: "Smoke offer",
    rollout_percentage: 50,
    ml_enabled: true,
    ml_threshold_value: 0.5,
  };
  const created = await call<{ id: number }>(url, "POST", "/features", feature);
  assert.equal(created.status, 201, JSON.stringify(created));
  assert.equal((await call(url, "POST", "/features", feature)).status, 409);
  say("created a feature");
}

interface Decision {
  readonly enabled: boolean;
  readonly decision_source: string;
  readonly model_version: string | null;
  readonly fallback: { readonly from: string; readonly cause: string } | null;
  readonly experiment: { readonly variant: string } | null;
}

async function evaluate(url: string, userId: string, feature = FEATURE): Promise<Decision> {
  const answer = await call<Decision>(url, "POST", "/evaluate", { feature_key: feature, user: { user_id: userId } });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  return answer.body;
}

async function fallsBack(url: string): Promise<void> {
  const decision = await evaluate(url, "user-0");
  assert.equal(decision.decision_source, "rollout");
  assert.equal(decision.fallback?.cause, "no_model");
  say("without a model the rollout decides, and the decision says so");
}

/** Regulars put things into the cart and buy; the others look once and mostly leave. The last users are here right now. */
async function ingest(url: string): Promise<void> {
  const now = Date.now();
  const events = Array.from({ length: USERS + VISITORS }, (_, user) => {
    const moment = user < USERS ? now - (40 * 24 - user) * HOUR : now;
    const bought = isRegular(user) ? user % 10 !== 0 : user % 12 === 1;
    const history = isRegular(user) ? ["view", "addtocart", "view", "addtocart"] : ["view"];
    const before = history.map((event_type, at) => ({ event_type, at: moment - (48 - at) * HOUR }));
    const visit = [
      { event_type: "view", at: moment },
      ...(bought ? [{ event_type: "transaction", at: moment + 2 * HOUR }] : []),
    ];
    return [...before, ...(user < USERS ? visit : [])].map(({ event_type, at }) => ({
      user_id: `user-${user}`,
      feature_key: FEATURE,
      event_type,
      timestamp: new Date(at).toISOString(),
      properties: {},
    }));
  }).flat();
  const answer = await call<{ saved_events: number; rejected: number }>(url, "POST", "/ingest/events", {
    source: "smoke",
    events,
  });
  assert.equal(answer.status, 201, JSON.stringify(answer));
  assert.equal(answer.body.saved_events, events.length);
  assert.equal(answer.body.rejected, 0);
  say(`ingested ${events.length} events`);
}

function isRegular(user: number): boolean {
  return user % 2 === 0;
}

async function train(url: string): Promise<void> {
  const request = { feature_key: FEATURE, positive_event_types: ["transaction"], window_seconds: 86_400 };
  const answer = await call<{ status: string; model_version: string; metrics: { roc_auc: number } }>(
    url,
    "POST",
    "/train",
    request,
  );
  assert.equal(answer.status, 200, JSON.stringify(answer));
  assert.equal(answer.body.status, "ready");
  assert(answer.body.metrics.roc_auc > 0.7, JSON.stringify(answer.body.metrics));
  say(`trained ${answer.body.model_version}, AUC ${answer.body.metrics.roc_auc.toFixed(3)}`);
}

async function modelDecides(url: string): Promise<void> {
  const visitors = Array.from({ length: VISITORS }, (_, visitor) => USERS + visitor);
  const deadline = Date.now() + 15_000;
  for (;;) {
    const decisions = await Promise.all(visitors.map((user) => evaluate(url, `user-${user}`)));
    const undecided = decisions.find(({ decision_source }) => decision_source !== "ml");
    if (undecided === undefined) {
      assert(decisions.every(({ model_version }) => model_version !== null));
      assert.deepEqual(
        decisions.map(({ enabled }) => enabled),
        visitors.map(isRegular),
      );
      say(`the model decides for ${VISITORS} visitors: on for those who buy, off for the others`);
      return;
    }
    // The new snapshot, or a profile, may take a moment to arrive.
    if (Date.now() > deadline) throw new Error(`The model does not decide: ${JSON.stringify(undecided)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function experimentDecides(url: string): Promise<void> {
  const created = await call<{ id: number }>(url, "POST", "/experiments", {
    name: "Smoke experiment",
    feature_key: FEATURE,
    primary_metric_event: "transaction",
  });
  assert.equal(created.status, 201, JSON.stringify(created));
  const decision = await evaluate(url, "user-1");
  assert.equal(decision.decision_source, "experiment");
  const result = await call<{ decision: string }>(url, "GET", `/experiments/${created.body.id}/result`);
  assert.equal(result.body.decision, "continue");
  assert.equal((await call(url, "POST", `/experiments/${created.body.id}/stop`)).status, 200);
  assert.equal((await evaluate(url, "user-1")).experiment, null);
  say("an experiment decides while it runs");
}

/** The client's own engine, model and all, answers as the server does, and reports what it decided. */
async function decidesLocally(url: string): Promise<void> {
  const local = createLocalEvaluation({ url });
  await local.ready();
  for (const user of [USERS, USERS + 1]) {
    const { decision_id: _, ...theirs } = (await evaluate(url, `user-${user}`)) as Decision & { decision_id: string };
    const { decision_id, ...ours } = await local.evaluate(FEATURE, { user_id: `user-${user}` });
    assert.equal(ours.decision_source, "ml");
    assert.deepEqual({ ...ours, score: 0, confidence: 0 }, { ...theirs, score: 0, confidence: 0 });
    assert(decision_id.length > 16);
  }
  await local.flush();
  assert.deepEqual(local.state.exposures, { waiting: 0, dropped: 0, refused: 0 });
  await local.close();
  say("a client decides by the model in its own process, and reports it");
}

/** Answers OpenFeature's clients; the event stream it names is left open. */
async function tellsOfChanges(url: string): Promise<ReadableStreamDefaultReader<string>> {
  const path = "/ofrep/v1/evaluate/flags";
  const asked = { context: { targetingKey: "user-1" } };
  type Answer = { flags: { key: string }[]; eventStreams: { endpoint: { requestUri: string } }[] };
  const { body } = await call<Answer>(url, "POST", path, asked);
  assert.deepEqual(
    body.flags.map(({ key }) => key),
    [FEATURE],
  );
  const { status, body: stream } = await fetch(url + body.eventStreams[0]?.endpoint.requestUri);
  assert(status === 200 && stream !== null, `The event stream is refused: ${status}`);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  await call(url, "POST", "/features", { name: "A change", key: "a-change" });
  for (let text = ""; !text.includes('"refetchEvaluation"'); ) {
    const { done, value } = await reader.read();
    assert(!done, `The event stream ended, having said: ${text}`);
    text += value;
  }
  say("OpenFeature's clients are answered, and told of a change");
  return reader;
}

async function call<Body>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Body }> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

/** Process id of the embedded PostgreSQL. */
async function postmaster(): Promise<number> {
  const files = await readdir(dataDir, { recursive: true });
  const file = files.find((name) => name.endsWith("postmaster.pid"));
  assert(file !== undefined, `There is no postmaster.pid under ${dataDir}`);
  const [pid] = (await readFile(join(dataDir, file), "utf8")).split("\n");
  return Number(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Asks the server to stop and waits until it has; it must end with 0 on its own. */
async function stop(): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<number | null>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("Did not stop within 30 s of SIGTERM")), 30_000);
    server.once("exit", (code) => {
      clearTimeout(late);
      resolve(code);
    });
  });
  // Not server.kill: Deno then reports the signal instead of the code, however the process ended.
  process.kill(server.pid ?? 0, "SIGTERM");
  assert.equal(await ended, 0, "The server did not end with 0");
}

function say(line: string): void {
  process.stdout.write(`smoke: ${line}\n`);
}
