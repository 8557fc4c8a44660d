import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient } from "../../../server/client/client.ts";
import { printTable } from "../print-table.ts";
import { startProduct } from "../server-process.ts";
import { ARMS, type Customer, HILLSTROM, readHillstrom } from "./hillstrom.ts";
import { upliftHalves } from "./hillstrom-uplift.ts";

/** Of the counted customers: how many visited. */
interface Tally {
  counted: number;
  visits: number;
}

interface LiveResult {
  readonly order: string;
  readonly whole: Tally;
  readonly last_third: Tally;
  /** Without the held-out users, who are no model's. */
  readonly last_third_decided: Tally;
  readonly served: Readonly<Record<string, number>>;
  /** Of the trial in the last third: what its own draw, and the men's e-mail for everyone, brought. */
  readonly uniform: Tally;
  readonly always_mens: Tally;
  /** Decided for another arm between looking and serving, because the model moved: their outcome is not known. */
  readonly raced: number;
  readonly trainings: number;
  readonly seconds: number;
}

const FEATURE = "email";
const BATCH = 500;
/** Counted customers between two trainings from the log; between them every matured outcome moves the bandit. */
const TRAIN_EVERY = 1500;
const WINDOW_SECONDS = 1;

const ORDERS = 5;

/** Prints what a bandit makes of the trial, served over HTTP, beside what it could have been; then whom uplift ranks first. */
export async function benchHillstrom(directory: string): Promise<void> {
  if (!existsSync(join(directory, HILLSTROM))) {
    console.log(`There is no ${HILLSTROM} in ${directory}; --data says where it is`);
    return;
  }
  const results = await hillstromLive(directory, ORDERS);
  const share = ({ visits, counted }: Tally) => visits / counted;
  const columns = (["whole", "last_third", "last_third_decided", "uniform", "always_mens"] as const).map((name) =>
    results.map((result) => share(result[name])),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(4));
  printTable([
    [
      "order",
      "whole stream",
      "last third",
      "less the holdout",
      "uniform there",
      "always men's there",
      "trainings",
      "raced",
      "s",
    ],
    ...results.map(({ order, trainings, raced, seconds }, i) => [
      order,
      ...shown(columns.map((values) => values[i] as number)),
      ...[trainings, raced, Math.round(seconds)].map(String),
    ]),
    ["mean", ...shown(columns.map(mean)), "", "", ""],
  ]);
  console.log("published: uniform 0.148, SquareCB 0.180, always men's 0.183\n");
  printTable([
    ["ranked by", "effect in the top half", "in the bottom half"],
    ...upliftHalves(directory, ["logistic", "trees"]).map(({ ranking, top, bottom }) => [
      ranking,
      ...shown([top, bottom]),
    ]),
    ["published: by effect", "0.0745", "0.0143"],
    ["published: by likelihood", "0.0583", "0.0334"],
  ]);
}

/**
 * The trial as live traffic, over HTTP: a customer counts only when the server serves the arm that the trial drew, as only
 * then its outcome is known (rejection replay). What would be served is looked up by a replay of the batch, which stores
 * nothing; whoever counts is then served, and visits are sent as events.
 *
 * Each order runs in an environment of its own and begins at another customer, all at the same distance, so that everybody is
 * in the last third of about as many orders: customers differ more than policies do.
 */
async function hillstromLive(directory: string, orders: number): Promise<readonly LiveResult[]> {
  const customers = readHillstrom(directory);
  const product = await startProduct();
  try {
    const results: LiveResult[] = [];
    for (let order = 0; order < orders; order++) {
      const environment = `order-${order}`;
      await fetch(new URL("/environments", product.url), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ key: environment }),
      });
      const client = createClient({ url: product.url, environment });
      const first = Math.round((order * customers.length) / orders);
      const turned = [...customers.slice(first), ...customers.slice(0, first)];
      results.push(await runOrder(client, `from customer ${first + 1}`, turned));
    }
    return results;
  } finally {
    await product.stop();
  }
}

async function runOrder(client: Client, order: string, customers: readonly Customer[]): Promise<LiveResult> {
  const began = Date.now();
  await client.createFeature({
    key: FEATURE,
    name: "E-mail to past customers",
    variants: { none: "none", mens: "mens", womens: "womens" },
    off_variant: "none",
    steps: [{ id: "bandit", strategy: "bandit", config: {}, on_failure: "next" }],
    objective: { event_types: ["visit"], window_seconds: WINDOW_SECONDS, exploration: 0.02, holdout: 0.02 },
  });
  const whole: Tally = { counted: 0, visits: 0 };
  const last_third: Tally = { counted: 0, visits: 0 };
  const last_third_decided: Tally = { counted: 0, visits: 0 };
  const served: Record<string, number> = Object.fromEntries(ARMS.map((arm) => [arm, 0]));
  let [raced, trainings, trainedAt] = [0, 0, 0];
  for (let from = 0; from < customers.length; from += BATCH) {
    const batch = customers
      .slice(from, from + BATCH)
      .map((customer, i) => ({ ...customer, user: { user_id: `customer-${from + i}`, ...customer.attributes } }));
    const looked = await client.evaluateUsers(
      FEATURE,
      batch.map(({ user }) => user),
      { at: new Date().toISOString() },
    );
    const kept = batch.filter(({ arm }, i) => looked[i]?.variant === arm);
    if (kept.length === 0) continue;
    const decisions = await client.evaluateUsers(
      FEATURE,
      kept.map(({ user }) => user),
    );
    const counted = kept.flatMap((customer, i) => {
      const decision = decisions[i];
      if (decision?.variant === customer.arm) return [{ ...customer, source: decision.decision_source }];
      raced++;
      return [];
    });
    const late = from + BATCH > (customers.length * 2) / 3;
    for (const { arm, visit, source } of counted) {
      (served[arm] as number)++;
      const tallies = [
        whole,
        ...(late ? [last_third] : []),
        ...(late && source !== "holdout" ? [last_third_decided] : []),
      ];
      for (const tally of tallies) {
        tally.counted++;
        tally.visits += visit ? 1 : 0;
      }
    }
    const timestamp = new Date().toISOString();
    const visits = counted.filter(({ visit }) => visit);
    if (visits.length > 0)
      await client.ingest(
        "hillstrom",
        visits.map(({ user }) => ({
          user_id: user.user_id,
          feature_key: FEATURE,
          event_type: "visit",
          timestamp,
          properties: {},
        })),
      );
    if (whole.counted - trainedAt >= TRAIN_EVERY) {
      // Exposures are written within a moment, and their windows must have passed.
      await new Promise((resolve) => setTimeout(resolve, (WINDOW_SECONDS + 1) * 1000));
      await client.train({ feature_key: FEATURE });
      trainings++;
      trainedAt = whole.counted;
    }
  }
  const seconds = (Date.now() - began) / 1000;
  const late = customers.slice(Math.floor((customers.length * 2) / 3));
  const uniform = tallyOf(late);
  const always_mens = tallyOf(late.filter(({ arm }) => arm === "mens"));
  return { order, whole, last_third, last_third_decided, served, uniform, always_mens, raced, trainings, seconds };
}

function tallyOf(customers: readonly Customer[]): Tally {
  return { counted: customers.length, visits: customers.filter(({ visit }) => visit).length };
}
