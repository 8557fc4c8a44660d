import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { addEvent } from "../../../core/event/profile.ts";
import type { Json } from "../../../core/json.ts";
import { type Dataset, datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { train } from "../../../core/model/train.ts";
import { fitPlain, type PlainExample } from "./fit-plain.ts";
import type { Story } from "./story.ts";

export interface ReferenceFit {
  /** Log loss of ours on scikit-learn's columns, fitted as it was: like for like. */
  readonly same_columns: number;
  /** Log loss and AUC of ours with the product's own feature builder. */
  readonly own: number;
  readonly own_auc: number;
}

/** Fits the logistic model on the rows that a published figure was fitted on and measures it on the same held-out rows. */
export function referenceFit(story: Story): ReferenceFit {
  const { metrics } = train(referenceDataset(story), {
    learner: "logistic",
    seed: 1,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
  });
  return {
    same_columns: fitPlain(plainExamples(story)).log_loss,
    own: number(metrics, "log_loss"),
    own_auc: number(metrics, "roc_auc"),
  };
}

/** In words, beside the published figure. */
export function referenceTable({ reference_log_loss }: Story, { same_columns, own, own_auc }: ReferenceFit): string {
  const rows = [
    ["logistic regression, reference split", "log loss", "to scikit-learn's"],
    ["scikit-learn's", reference_log_loss.toFixed(4), ""],
    ["ours on the same columns", same_columns.toFixed(4), (same_columns - reference_log_loss).toFixed(4)],
    [`ours on its own columns (AUC ${own_auc.toFixed(4)})`, own.toFixed(4), (own - reference_log_loss).toFixed(4)],
  ];
  return rows.map(([name = "", a = "", b = ""]) => `${name.padEnd(36)}${a.padStart(15)}${b.padStart(18)}`).join("\n");
}

/** A story's subjects as scikit-learn was given them. */
export function plainExamples({ subjects, plainRow }: Story): readonly PlainExample[] {
  return subjects.map((subject) => ({ row: plainRow(subject), label: subject.bought, slice: subject.slice }));
}

function number(metrics: Json, name: string): number {
  const value =
    metrics !== null && typeof metrics === "object" && name in metrics
      ? (metrics as { [key: string]: Json })[name]
      : null;
  return typeof value === "number" ? value : Number.NaN;
}

/** A story's moments as training reads them from its events, in the slices of the reference split. */
export function referenceDataset(story: Story): Dataset {
  const builder = datasetBuilder();
  for (const subject of story.subjects) {
    const view = story.cut === null ? subject.history.at(-1) : undefined;
    const at = Date.parse(view?.timestamp ?? story.cut ?? "");
    const before = subject.history.filter((event) => event !== view);
    const profile = before.reduce((sofar, event) => addEvent(sofar, { ...event, at: Date.parse(event.timestamp) }), {});
    const row = featureRow(subject.attributes, profile, at);
    builder.add({ unit: subject.user_id, at, row, label: subject.bought, slice: subject.slice });
  }
  return builder.build({
    total_events: story.subjects.reduce((sum, subject) => sum + subject.history.length + subject.outcome.length, 0),
    unique_users: story.subjects.length,
    positive_events: story.subjects.reduce((sum, subject) => sum + subject.outcome.length, 0),
    moments: story.cut === null ? "views" : "cut",
    window_seconds: story.window_seconds,
    positive_event_types: [story.event_type],
    immature: 0,
    capped: 0,
    data_window: { from: "", to: "" },
  });
}
