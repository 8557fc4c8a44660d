import { type Dataset, datasetBuilder, type Example } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { START } from "./made-up-shop.ts";

export const ARMS = ["off", "red", "blue"] as const;

export interface TrialOptions {
  readonly users?: number;
  readonly seed?: number;
  /** The probability of the outcome. Default: red helps on mobile and harms elsewhere, blue does nothing. */
  readonly rate?: (user: { mobile: boolean; age: number }, arm: number) => number;
  /** Shares the arms are drawn with. Default: even. */
  readonly shares?: readonly number[];
  /** Outcomes are amounts of up to 1 instead of yes and no. */
  readonly amounts?: boolean;
}

function mobileLikesRed({ mobile }: { mobile: boolean }, arm: number): number {
  if (arm !== 1) return 0.2;
  return mobile ? 0.4 : 0.1;
}

/** Decisions drawn among three variants. */
export function trialExamples(options: TrialOptions = {}): Example[] {
  const { users = 3000, seed = 1, rate = mobileLikesRed, shares = [1 / 3, 1 / 3, 1 / 3], amounts = false } = options;
  const random = seededRandom(seed);
  return Array.from({ length: users }, (_, i) => {
    const at = START + i * 60_000;
    const user = { mobile: random() < 0.5, age: 18 + Math.floor(60 * random()) };
    const u = random();
    const arm = u < (shares[0] as number) ? 0 : u < (shares[0] as number) + (shares[1] as number) ? 1 : 2;
    const row = featureRow({ ...user, plan: random() < 0.5 ? "free" : "pro" }, {}, at);
    const label = random() < rate(user, arm);
    const value = amounts ? { value: label ? 0.2 + 0.8 * random() : 0 } : {};
    return { unit: `u${i}`, at, row, label, ...value, arm: ARMS[arm] as string, probability: shares[arm] as number };
  });
}

export function trialDataset(examples: readonly Example[], options: { max_rows?: number } = {}): Dataset {
  const builder = datasetBuilder({ arms: ARMS, ...options });
  for (const example of examples) builder.add(example);
  return builder.build({
    total_events: examples.length,
    unique_users: examples.length,
    positive_events: examples.filter(({ label }) => label).length,
    moments: "exposures",
    window_seconds: 3600,
    positive_event_types: ["visit"],
    immature: 0,
    capped: 0,
    data_window: { from: new Date(START).toISOString(), to: new Date(START + 1e9).toISOString() },
  });
}
