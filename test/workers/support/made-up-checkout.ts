import { randomUUID } from "node:crypto";
import type { Decision } from "../../../core/decision/decision.ts";
import { distributionOf } from "../../../core/engine/distribution.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import type { Profile } from "../../../core/event/profile.ts";
import type { Json } from "../../../core/json.ts";
import { datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { type TrainedModel, train } from "../../../core/model/train.ts";
import type { Promotion } from "../../../core/ports.ts";
import { texts, times } from "../../../server/postgres/array-literal.ts";
import { exposureStore } from "../../../server/postgres/exposures.ts";
import { trainOptions } from "../../core/model/made-up-shop.ts";
import type { TestServer } from "../../support/server.ts";

/** Users of a checkout that is not there: the variant `on` helps those on the pro plan and harms the others. */
export interface Customer {
  readonly user_id: string;
  readonly plan: string;
  readonly visits: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** @param shape 1: visits are spread as in training; above, they gather at the low end */
export function customers(count: number, seed: number, shape = 1): Customer[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({
    user_id: `user-${seed}-${i}`,
    plan: random() < 0.5 ? "pro" : "free",
    visits: 10 * random() ** shape,
  }));
}

/** What is true: how probable it is that such a user buys. */
export function buys({ plan, visits }: Customer, variant: string): number {
  const effect = variant === "off" ? 0 : plan === "pro" ? 1.5 : -1.5;
  return 1 / (1 + Math.exp(2 - 0.2 * visits - effect));
}

/** Users' events so far, of which nothing depends. */
export interface Past {
  /** Whether they have any. Default false. */
  readonly eventful?: boolean;
  /** How many times as long as in training they have been users, at the same rate. Default 1. */
  readonly grown?: number;
}

function profileOf({ user_id }: Customer, at: number, { eventful = false, grown = 1 }: Past): Profile {
  if (!eventful) return {};
  const random = seededRandom(Number(user_id.replaceAll(/\D/g, "")));
  const days = grown * (10 + 30 * random());
  const count = Math.max(1, Math.round(days * (1 + 2 * random())));
  return { visit: { count, first_at: at - days * 24 * HOUR, last_at: at - 24 * HOUR * random(), value_sum: 0 } };
}

/** A model of what is true, learned from 6,000 even draws. */
export function trainCheckout(seed = 1, past: Past = {}): TrainedModel {
  const random = seededRandom(seed);
  const builder = datasetBuilder({ arms: ["off", "on"] });
  const drawn = customers(6000, 1000 + seed);
  for (const [i, customer] of drawn.entries()) {
    const at = Date.UTC(2026, 0, 1) + i * MINUTE;
    const arm = random() < 0.5 ? "on" : "off";
    const label = random() < buys(customer, arm);
    builder.add({
      unit: customer.user_id,
      at,
      row: featureRow({ ...customer }, profileOf(customer, at, past), at),
      label,
      arm,
      probability: 0.5,
    });
  }
  const dataset = builder.build({
    total_events: 6000,
    unique_users: 6000,
    positive_events: 2000,
    moments: "exposures",
    window_seconds: 60,
    positive_event_types: ["buy"],
    immature: 0,
    capped: 0,
    data_window: { from: "2026-01-01T00:00:00.000Z", to: "2026-01-06T00:00:00.000Z" },
  });
  return train(dataset, trainOptions({ target: "uplift" }));
}

/** A feature that learns, and one of its models that has decided for three hours. */
export async function makeCheckout(
  server: TestServer,
  key: string,
  trained: TrainedModel,
  objective: Readonly<Record<string, Json>> = {},
): Promise<string> {
  const made = await server.call("POST", "/features", {
    key,
    name: key,
    type: "boolean",
    variants: { off: false, on: true },
    off_variant: "off",
    fallback_variant: "off",
    objective: { event_types: ["buy"], window_seconds: 60, holdout: 0.1, ...objective },
    steps: [{ id: "model", strategy: "ml-model", config: { mode: "uplift" } }],
  });
  if (made.status !== 201) throw new Error(`Cannot make ${key}: ${JSON.stringify(made.body)}`);
  const yesterday = new Date(server.services.clock.now() - 24 * HOUR);
  await server.database.sql`update feature_revisions set at = ${yesterday} where feature_key = ${key}`;
  return addModel(server, key, trained, { promote: "live" });
}

export async function addModel(
  server: TestServer,
  key: string,
  trained: TrainedModel,
  { promote }: { promote: Promotion },
): Promise<string> {
  const { promote: _, ...fitted } = trained;
  const trained_at = new Date(server.services.clock.now() - 3 * HOUR).toISOString();
  const model = { ...fitted, feature_key: key, trained_at, job_id: null };
  const { version } = await server.services.models.save("production", model, promote);
  await server.database.sql`update models set ramped_at = trained_at where version = ${version} and traffic > 0`;
  return version;
}

export interface ShowOptions extends Past {
  /** Multiplies what is true of a decision. */
  readonly luck?: (customer: Customer, decision: Decision) => number;
  /** What is stored instead of the variant that was served. */
  readonly served?: (decision: Decision) => string;
  /** Hours ago. Default 2. */
  readonly ago?: number;
}

/** Decides for these users as the server would have, stores that, and what became of it. */
export async function show(
  server: TestServer,
  key: string,
  users: readonly Customer[],
  { luck = () => 1, served = ({ variant }) => variant as string, ago = 2, ...past }: ShowOptions = {},
): Promise<void> {
  const { clock, configuration, strategies } = server.services;
  const snapshot = compile(await configuration.load("production"), strategies);
  const random = seededRandom(users.length + Math.round(ago * 100));
  const start = clock.now() - ago * HOUR;
  const bought: { user_id: string; at: number }[] = [];
  const exposures = users.map((customer, i) => {
    const at = start + i * 5;
    const user = { ...customer };
    const profile = profileOf(customer, at, past);
    const decided = evaluate(snapshot, key, user, { now: at, profile }) as Decision;
    const decision = { ...decided, variant: served(decided) };
    if (random() < buys(customer, decision.variant) * luck(customer, decided))
      bought.push({ user_id: customer.user_id, at: at + 1000 });
    return {
      environment: "production",
      decision_id: randomUUID(),
      at,
      decision,
      unit: customer.user_id,
      probabilities: distributionOf(snapshot, key, user, { now: at, profile }),
      features: featureRow(user, profile, at),
    };
  });
  await exposureStore(server.sql).append(exposures);
  await server.database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type)
    select 'production', at, user_id, ${key}, 'buy'
    from unnest(${times(bought.map(({ at }) => at))}::text::timestamptz[], ${texts(bought.map(({ user_id }) => user_id))}::text::text[])
      as bought (at, user_id)`;
}
