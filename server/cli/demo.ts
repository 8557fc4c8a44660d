/**
 * npm run demo: the main job from end to end on real data. Starts a server of its own (data under .data/demo, emptied first),
 * creates features, replays users and events with their own times, trains in the background, then compares the model with a
 * plain rollout on users it never saw.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { progress } from "@clack/prompts";
import { Command } from "commander";
import type { EventInput } from "../../core/event/event.ts";
import { type Client, createClient } from "../client/client.ts";
import { cdnow } from "./demo/cdnow.ts";
import { compare, table } from "./demo/compare.ts";
import { referenceFit, referenceTable } from "./demo/reference.ts";
import { shop } from "./demo/shop.ts";
import type { Story } from "./demo/story.ts";

const BATCH = 5000;

const options = new Command("demo")
  .description("Load real data, train on it, and compare the model with a plain rollout on users it never saw.")
  .option("--cdnow <file>", "tell the CDNOW story from this file (cdnow.csv.gz) instead of the shop's")
  .option("--port <port>", "port of the demo's server", "8000")
  .option("--exit", "stop the server at the end instead of leaving it open to look at")
  .parse()
  .opts<{ cdnow?: string; port: string; exit?: boolean }>();

await demo(options.cdnow ? cdnow(options.cdnow) : shop());

async function demo(story: Story): Promise<void> {
  console.log(`\n${story.title}\n${story.source}\n`);
  const server = await startServer(options.port);
  const client = createClient({ url: server.url });
  const model = story.feature_key;
  const plain = `${model}-plain`;
  try {
    const objective = { event_types: [story.event_type], window_seconds: story.window_seconds };
    await client.createFeature({
      key: model,
      name: `${model} (a model decides)`,
      rollout_percentage: 25,
      ml_enabled: true,
      ml_threshold_mode: "match_rollout",
      objective,
    });
    await client.createFeature({ key: plain, name: `${model} (plain rollout)`, rollout_percentage: 25, objective });
    console.log(`Created ${model} (a model decides, else 25 % of users) and ${plain} (25 % of users).`);

    const trainedOn = story.subjects.filter((subject) => !subject.held_out);
    await send(
      client,
      "users to learn from",
      trainedOn.flatMap(({ history, outcome }) => [...history, ...outcome]),
    );

    const heldOut = story.subjects.filter((subject) => subject.held_out);
    const before = await compare(client, model, heldOut.slice(0, 100), story.cut);
    console.log(`Before training, of 100 users: ${words(before.sources)}; fell back: ${words(before.causes)}.`);

    const job = await client.trainAsync({ feature_key: model, ...(story.cut ? { cut: story.cut } : {}) });
    const trained = await withProgress("Training in the background", 100, async (advance) => {
      for (let shown = 0; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
        const state = await client.trainingJob(job.job_id);
        const percent = Math.floor(state.progress * 100);
        advance(percent - shown, state.stage);
        shown = percent;
        if (state.status === "succeeded") return state;
        if (state.status !== "queued" && state.status !== "running")
          throw new Error(`Training ended as ${state.status}: ${state.error?.message ?? "no reason given"}`);
      }
    });
    const { model_version, verdict } = trained.result as { model_version: string; verdict: string };
    console.log(`${model_version}: ${verdict}\n`);

    // A view is the moment of decision itself; with a cut, what came before it is known when the decision is made.
    if (story.cut !== null)
      await send(
        client,
        "held-out users, up to the cut",
        heldOut.flatMap(({ history }) => history),
      );
    const withModel = await compare(client, model, heldOut, story.cut);
    const withPlain = await compare(client, plain, heldOut, story.cut);
    console.log(table(heldOut, withPlain, withModel));
    console.log(`\nDecisions of ${model} by source: ${words(withModel.sources)}`);
    console.log(`Fallbacks by cause: ${words(withModel.causes)}`);
    console.log(`\n${referenceTable(story, referenceFit(story))}`);
    if (options.exit || !process.stdout.isTTY) return;
    console.log(
      `\nThe server goes on at ${server.url} : open it, ${server.url}/docs or ${server.url}/metrics. Ctrl-C stops it.`,
    );
    await new Promise((resolve) => process.once("SIGINT", resolve));
  } finally {
    await server.stop();
  }
}

/** In the order of their times, in batches. */
async function send(client: Client, whose: string, events: EventInput[]): Promise<void> {
  events.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  await withProgress(`Sending ${events.length} events of ${whose}`, events.length, async (advance) => {
    for (let from = 0; from < events.length; from += BATCH) {
      const batch = events.slice(from, from + BATCH);
      const answer = await client.ingest("demo", batch);
      if (answer.rejected > 0)
        throw new Error(`${answer.rejected} events were rejected: ${JSON.stringify(answer.rejections[0])}`);
      advance(batch.length);
    }
  });
}

async function startServer(port: string): Promise<{ url: string; stop(): Promise<void> }> {
  await rm(".data/demo", { recursive: true, force: true });
  const child: ChildProcess = spawn(process.execPath, ["workers/main.ts", "--serve"], {
    env: { ...process.env, DATA_DIR: ".data/demo", DATABASE_URL: "", PORT: port, LOG_LEVEL: "warning" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (!child.stdout) throw new Error("The demo's server has no output to wait for");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /https?:\/\/\S+/.exec(line)?.[0];
    if (!url) continue;
    child.stdout.resume();
    return {
      url,
      async stop() {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  await ended;
  throw new Error(
    `The demo's server ended before it was ready (exit code ${child.exitCode}); is port ${port} free? --port chooses another`,
  );
}

/** A bar on a terminal, one line at the start and the end elsewhere. */
async function withProgress<T>(
  title: string,
  max: number,
  work: (advance: (by: number, message?: string) => void) => Promise<T>,
): Promise<T> {
  if (!process.stdout.isTTY) {
    console.log(`${title} ...`);
    return work(() => undefined);
  }
  const bar = progress({ max });
  bar.start(title);
  try {
    const result = await work((by, message) => bar.advance(by, message ? `${title}: ${message}` : title));
    bar.stop(title);
    return result;
  } catch (error) {
    bar.stop(`${title}: failed`);
    throw error;
  }
}

function words(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return "none";
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}
