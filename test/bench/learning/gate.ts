import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { completeObjective, Objective } from "../../../core/feature/objective.ts";
import { datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { train } from "../../../core/model/train.ts";
import { createClient } from "../../../server/client/client.ts";
import { judgeBy } from "../../../workers/judge-challenger.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../../support/make-configuration.ts";
import { printTable } from "../print-table.ts";
import { startProduct } from "../server-process.ts";
import { HILLSTROM } from "./hillstrom.ts";
import { judgeHillstrom } from "./judge-hillstrom.ts";

const KEY = "new-checkout";
const START = Date.UTC(2026, 0, 1);

const WORLDS = 200;

/** Prints how often the gate lets chance pass, what it says of Hillstrom's T-learner, and what it does where an effect is there. */
export async function benchGate(directory: string): Promise<void> {
  const rows = [0.9, 0.5].map((tau) => {
    const { promoted, verdict } = promotedInAaWorlds(WORLDS, tau);
    console.log(`the last verdict, min_confidence ${tau}: ${verdict}\n`);
    return [
      `A/A, min_confidence ${tau}`,
      `${promoted} of ${WORLDS}`,
      "<= 5 %",
      promoted <= WORLDS * 0.05 ? "yes" : "NO",
    ];
  });
  printTable([["worlds", "promoted", "target", "met"], ...rows]);
  if (existsSync(join(directory, HILLSTROM))) console.log(`\nHillstrom: ${judgeHillstrom(directory)}`);
  const { verdict, lift } = await realEffect();
  console.log(`\nAn effect that is there: ${verdict}\nThe holdout afterwards: ${lift.message}`);
}

/** Drawn evenly, and no variant does anything: whatever a challenger claims is chance. */
function promotedInAaWorlds(worlds: number, min_confidence: number): { promoted: number; verdict: string } {
  const decisions = 5000;
  const feature = makeFeature({
    key: KEY,
    objective: Objective.parse({ event_types: ["purchase"], window_seconds: 3600, min_confidence }),
    steps: [
      { id: "model", strategy: "ml-model", config: {}, on_failure: "next" },
      { id: "rollout", strategy: "hash-bucketing", config: even(), on_failure: "next" },
    ],
  });
  const objective = completeObjective(feature);
  if (objective === null) throw new Error("The feature has an objective");
  const configuration = makeConfiguration({ features: [feature] });
  const judge = judgeBy({ configuration, strategies: STRATEGIES, feature, objective, champion: null });
  let promoted = 0;
  let verdict = "";
  for (let world = 1; world <= worlds; world++) {
    const random = seededRandom(world);
    const builder = datasetBuilder({ arms: ["off", "on"] });
    let positives = 0;
    for (let i = 0; i < decisions; i++) {
      const user = person(random);
      const at = START + i * 60_000;
      const label = random() < rateOf(user);
      positives += Number(label);
      builder.add({
        unit: `u${i}`,
        at,
        row: featureRow(user, {}, at),
        label,
        arm: random() < 0.5 ? "on" : "off",
        probability: 0.5,
      });
    }
    const dataset = builder.build({
      ...{ total_events: positives, unique_users: decisions, positive_events: positives },
      ...{ moments: "exposures", window_seconds: 3600, positive_event_types: ["purchase"], immature: 0, capped: 0 },
      data_window: { from: new Date(START).toISOString(), to: new Date(START + decisions * 60_000).toISOString() },
    });
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const model = train(dataset, { learner: "logistic", target: "uplift", seed: world, hash, now: () => 0, judge });
    if (model.promote) promoted++;
    verdict = model.verdict;
  }
  return { promoted, verdict };
}

interface LiveGate {
  readonly verdict: string;
  readonly promoted: boolean;
  /** GET /features/{key}/lift after the model decided for a while. */
  readonly lift: Readonly<Record<string, unknown>>;
}

/**
 * The same over HTTP, with an effect that is there: "on" brings users on mobile a fifth more purchases and costs the others as
 * much. Decisions are drawn, purchases sent, a model trained and gated; then it decides, and the holdout tells what it gains.
 */
async function realEffect(before = 20_000, after = 60_000): Promise<LiveGate> {
  const product = await startProduct();
  try {
    const client = createClient({ url: product.url });
    const window_seconds = 2;
    await client.createFeature({
      key: KEY,
      name: "A new checkout",
      objective: { event_types: ["purchase"], window_seconds, holdout: 0.2, exploration: 0.1 },
      steps: [
        { id: "model", strategy: "ml-model", config: {}, on_failure: "next" },
        { id: "rollout", strategy: "hash-bucketing", config: even(), on_failure: "next" },
      ],
    });
    const random = seededRandom(7);
    const send = async (from: number, to: number) => {
      for (let at = from; at < to; at += 500) {
        const users = Array.from({ length: Math.min(500, to - at) }, (_, i) => ({
          user_id: `u${at + i}`,
          ...person(random),
        }));
        const decisions = await client.evaluateUsers(KEY, users);
        const timestamp = new Date().toISOString();
        const events = users.flatMap((user, i) => {
          const factor = decisions[i]?.variant !== "on" ? 1 : user.mobile ? 1.2 : 0.8;
          if (random() >= 0.5 * factor) return [];
          return [{ user_id: user.user_id, feature_key: KEY, event_type: "purchase", timestamp, properties: {} }];
        });
        if (events.length > 0) await client.ingest("gate", events);
      }
      await new Promise((resolve) => setTimeout(resolve, (window_seconds + 1) * 1000));
    };
    await send(0, before);
    const trained = await client.train({ feature_key: KEY });
    await send(before, before + after);
    const lift = await client.lift(KEY);
    return { verdict: String(trained.verdict), promoted: trained.promoted === true, lift };
  } finally {
    await product.stop();
  }
}

interface Person {
  readonly mobile: boolean;
  readonly age: number;
  readonly plan: string;
  readonly basket: number;
}

function person(random: () => number): Person & Record<string, string | number | boolean> {
  return {
    mobile: random() < 0.5,
    age: 18 + Math.floor(60 * random()),
    plan: random() < 0.7 ? "free" : "pro",
    basket: Math.round(Math.exp(3 + 2 * random())),
  };
}

function rateOf({ plan, mobile }: Person): number {
  return 0.15 + (plan === "pro" ? 0.1 : 0) + (mobile ? 0.05 : 0);
}

function even() {
  return {
    arms: [
      { variant: "on", weight: 50 },
      { variant: "off", weight: 50 },
    ],
  };
}
