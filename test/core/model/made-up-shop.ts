import { createHash } from "node:crypto";
import { addEvent, type Profile } from "../../../core/event/profile.ts";
import { type Dataset, datasetBuilder, type Example } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { seededRandom } from "../../../core/model/random.ts";
import type { TrainOptions } from "../../../core/model/train.ts";

/** What training is given beside the dataset. The clock stands still: artifacts must not depend on it. */
export function trainOptions(options: Partial<TrainOptions> = {}): TrainOptions {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  return { learner: "logistic", seed: 1, hash, now: () => 0, ...options };
}

export interface ShopOptions {
  readonly users?: number;
  readonly seed?: number;
  /** false: the label is drawn without a look at the user. */
  readonly signal?: boolean;
}

export const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

/** Visits to a shop that is not there: attributes of all types, some missing, heavy tails, histories of 0 to 6 events. */
export function shopExamples({ users = 600, seed = 1, signal = true }: ShopOptions = {}): Example[] {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
  return Array.from({ length: users }, (_, i) => {
    const at = START + i * HOUR;
    const user_id = `user-${Math.floor(random() * 1e9)}`;
    const attributes = {
      user_id,
      plan: pick(["free", "free", "pro", "team"]),
      mobile: pick([true, false]),
      basket: Math.exp(3 * random()) * 10,
      age: random() < 0.2 ? null : 18 + Math.floor(60 * random()),
      code: random() < 0.05 ? "n/a" : Math.floor(5 * random()),
      session: `s-${i}`,
      constant: 7,
    };
    let profile: Profile = {};
    for (let n = Math.floor(7 * random()); n > 0; n--)
      profile = addEvent(profile, {
        event_type: pick(["view", "view", "buy"]),
        at: at - random() * 60 * 24 * HOUR,
        properties: { value: 50 * random() },
      });
    const z =
      -2 +
      (attributes.plan === "pro" ? 1.5 : 0) +
      Math.log(attributes.basket / 30) +
      0.8 * (profile.buy?.count ?? 0) -
      (attributes.mobile ? 0.5 : 0);
    const p = signal ? 1 / (1 + Math.exp(-z)) : 0.25;
    return { unit: user_id, at, row: featureRow(attributes, profile, at), label: random() < p };
  });
}

export function datasetOf(examples: readonly Example[]): Dataset {
  const builder = datasetBuilder();
  for (const example of examples) builder.add(example);
  return builder.build({
    total_events: examples.length,
    unique_users: new Set(examples.map(({ unit }) => unit)).size,
    positive_events: examples.filter(({ label }) => label).length,
    moments: "views",
    window_seconds: 3600,
    positive_event_types: ["transaction"],
    immature: 0,
    capped: 0,
    data_window: { from: new Date(START).toISOString(), to: new Date(START + 1e9).toISOString() },
  });
}

export function shop(options: ShopOptions = {}): Dataset {
  return datasetOf(shopExamples(options));
}
