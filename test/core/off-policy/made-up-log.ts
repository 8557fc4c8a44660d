import type { Pmf } from "../../../core/engine/distribution.ts";
import { seededRandom } from "../../../core/model/random.ts";
import type { LoggedRow } from "../../../core/off-policy/logged-row.ts";

export interface World {
  readonly seed: number;
  readonly rows: number;
  /** Default: every row has its own unit. */
  readonly rowsPerUnit?: number;
  /** What was drawn from, for users in the segment (half of them) and others. */
  readonly served: (segment: boolean) => Pmf;
  /** Chance of the objective. */
  readonly rate: (variant: string, segment: boolean) => number;
  /** Chance of the guardrail's events. Default 0.05. */
  readonly harm?: (variant: string) => number;
}

/** Decisions as a server would have logged them. */
export function madeUpLog({ seed, rows, rowsPerUnit = 1, served, rate, harm = () => 0.05 }: World): LoggedRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, (_, i) => {
    const unit = `user-${Math.floor(i / rowsPerUnit)}`;
    const segment = random() < 0.5;
    const probabilities = served(segment);
    const variant = drawn(probabilities, random());
    return {
      unit,
      at: i,
      row: { schema: 1, "attribute.segment": segment },
      variant,
      probability: probabilities[variant] as number,
      probabilities,
      reward: random() < rate(variant, segment) ? 1 : 0,
      guardrails: [random() < harm(variant) ? 1 : 0],
    };
  });
}

export function inSegment(row: Pick<LoggedRow, "row">): boolean {
  return row.row["attribute.segment"] === true;
}

function drawn(pmf: Pmf, u: number): string {
  let sum = 0;
  for (const [variant, probability] of Object.entries(pmf)) {
    sum += probability;
    if (u < sum) return variant;
  }
  throw new Error("The probabilities do not sum to 1");
}
