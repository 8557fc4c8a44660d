import { createHash } from "node:crypto";
import type { Decision } from "../../core/decision/decision.ts";
import { evaluate } from "../../core/engine/evaluate.ts";
import { compile } from "../../core/engine/snapshot.ts";
import { toDefinition } from "../../core/feature/to-definition.ts";
import { datasetBuilder } from "../../core/model/dataset.ts";
import { featureRow } from "../../core/model/feature-row.ts";
import type { Model } from "../../core/model/model.ts";
import { openModel } from "../../core/model/open-model.ts";
import { seededRandom } from "../../core/model/random.ts";
import { train } from "../../core/model/train.ts";
import type { User } from "../../core/strategy.ts";
import { builtIn } from "../../plugins/built-in.ts";
import { rollout } from "./workload.ts";

/** The same users decided for by a logistic model and by the hash of their id. */
export interface ModelDecision {
  readonly users: number;
  byModel(user: number): boolean;
  byHash(user: number): boolean;
}

const AT = Date.UTC(2026, 10, 1);
const HOUR = 3_600_000;
const ROWS = 6000;
const USERS = 1000;

/** Trains on made-up visits. Throws unless the model looks at all twelve attributes and decides for everyone. */
export function modelDecision(): ModelDecision {
  const random = seededRandom(1);
  const users = Array.from({ length: USERS }, (_, i) => makeUser(i, random));
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const model = trainedModel(random);
  const config = { mode: "propensity", threshold_mode: "match_rollout", share: 0.25, min_confidence: 0 };
  const writes = [
    rollout("by-hash"),
    {
      key: "by-model",
      name: "by-model",
      steps: [{ id: "ml", strategy: "ml-model", on_failure: "next" as const, config }],
    },
  ];
  const at = new Date(AT).toISOString();
  const snapshot = compile(
    {
      environment: "production",
      revision: 1,
      features: writes.map((write, id) => {
        const stored = { id, environment: "production", version: 1, created_at: at, updated_at: at };
        return { ...toDefinition(write, { strategies }), ...stored };
      }),
      segments: [],
      models: [model],
      experiments: [],
    },
    strategies,
  );
  const decide = (feature: string, user: number) =>
    evaluate(snapshot, feature, users[user] as User, { now: AT }) as Decision;
  checkModel(model);
  for (let user = 0; user < USERS; user += 1) {
    const { decision_source, fallback } = decide("by-model", user);
    if (decision_source !== "ml") throw new Error(`The model did not decide for user ${user}: ${fallback?.cause}`);
  }
  return {
    users: USERS,
    byModel: (user) => decide("by-model", user).enabled,
    byHash: (user) => decide("by-hash", user).enabled,
  };
}

function checkModel(model: Model): void {
  const opened = openModel(model);
  if ("cause" in opened) throw new Error(`The model cannot be used: ${opened.detail}`);
  const used = opened.artifact.encoding.features.map(({ name }) => name);
  if (used.length !== 12) throw new Error(`The model looks at ${used.join(", ")} instead of the twelve attributes`);
}

/** Seven numbers, four texts and a boolean; as parsed from JSON, like a request's body. */
function makeUser(i: number, random: () => number): User {
  const pick = (...items: readonly string[]) => items[Math.floor(random() * items.length)] ?? "";
  const upTo = (limit: number) => Math.floor(random() * limit);
  const user = {
    user_id: `user-${String(i).padStart(8, "0")}-4f1c-9a27-b3d6`,
    country: pick("de", "fr", "us", "jp"),
    plan: pick("free", "team", "business"),
    device: pick("phone", "desktop"),
    language: pick("de", "en", "fr", "es"),
    returning: random() < 0.5,
    age: 18 + upTo(60),
    sessions: upTo(100),
    seats: 1 + upTo(50),
    tickets: upTo(9),
    discount: random() / 2,
    basket: Math.exp(3 * random()) * 10,
    days: upTo(400),
  };
  return JSON.parse(JSON.stringify(user)) as User;
}

/** Every attribute makes a difference. */
function logOdds(user: User): number {
  const { age, sessions, seats, tickets, discount, basket, days } = user as Record<string, number>;
  const numbers = [(age ?? 0) / 60, (sessions ?? 0) / 50, (seats ?? 0) / 50, discount ?? 0, (days ?? 0) / 300];
  const sum = numbers.reduce((total, value) => total + value, 0) + Math.log((basket ?? 1) / 30) - (tickets ?? 0) / 4;
  const chosen = [user.country === "de", user.plan === "team", user.device === "phone", user.language === "en"];
  return sum - 2 + [...chosen, user.returning === true].filter(Boolean).length * 0.5;
}

function trainedModel(random: () => number): Model {
  const builder = datasetBuilder();
  let positive = 0;
  for (let i = 0; i < ROWS; i += 1) {
    const user = makeUser(i, random);
    const at = AT - (ROWS - i) * HOUR;
    const label = random() < 1 / (1 + Math.exp(-logOdds(user)));
    if (label) positive += 1;
    builder.add({ unit: user.user_id as string, at, row: featureRow(user, {}, at), label });
  }
  const dataset = builder.build({
    total_events: ROWS,
    unique_users: ROWS,
    positive_events: positive,
    moments: "views",
    window_seconds: 3600,
    positive_event_types: ["bought"],
    immature: 0,
    capped: 0,
    data_window: { from: new Date(AT - ROWS * HOUR).toISOString(), to: new Date(AT).toISOString() },
  });
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const { artifact, metrics, process, ...trained } = train(dataset, {
    learner: "logistic",
    seed: 1,
    hash,
    now: () => 0,
  });
  return {
    version: "by-model@1",
    environment: "production",
    feature_key: "by-model",
    status: "live",
    learner: trained.learner,
    target: "propensity",
    trained_at: new Date(AT).toISOString(),
    artifact,
    hash: trained.hash,
    seed: trained.seed,
    metrics,
    process,
    verdict: trained.verdict,
    job_id: null,
    traffic: 1,
    ramped_at: null,
    health: "fresh",
    health_detail: null,
    health_cause: null,
    checked_at: null,
    shadow: null,
  };
}
