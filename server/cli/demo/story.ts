import type { EventInput } from "../../../core/event/event.ts";
import type { Json } from "../../../core/json.ts";

/** One person of a real data set: what they brought, what they did before the decision, and whether they bought after it. */
export interface Subject {
  readonly user_id: string;
  readonly attributes: Readonly<Record<string, Json>>;
  /** Events before or at the decision. */
  readonly history: readonly EventInput[];
  /** Events after the decision: withheld from the server for held-out subjects. */
  readonly outcome: readonly EventInput[];
  readonly bought: boolean;
  /** Never trained on (the TEST part of the reference split). */
  readonly held_out: boolean;
  /** Slice of the reference split, for the comparison with published figures. */
  readonly slice: "train" | "calibration" | "validation";
}

/** A data set told as users and events with their own times, and what the product is asked to learn from it. */
export interface Story {
  readonly title: string;
  readonly source: string;
  readonly feature_key: string;
  readonly event_type: string;
  /** Attribution window in seconds. */
  readonly window_seconds: number;
  /** One decision moment for everybody (ISO), or null: one per view. */
  readonly cut: string | null;
  readonly subjects: readonly Subject[];
  /** Log loss of scikit-learn's logistic regression on the same held-out rows. */
  readonly reference_log_loss: number;
  /** The columns it was given. */
  readonly plainRow: (subject: Subject) => PlainRow;
}

/** Numbers as they are, texts one-hot. */
export type PlainRow = Readonly<Record<string, number | string>>;

/** The split every reference figure uses: by row number, about 60 / 20 / 20. */
export function referenceSlice(row: number): Subject["slice"] {
  const part = (Math.imul(row, 2654435761) >>> 0) % 5;
  return part === 0 ? "validation" : part === 1 ? "calibration" : "train";
}
