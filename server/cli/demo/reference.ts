import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { addEvent } from "../../../core/event/profile.ts";
import type { Json } from "../../../core/json.ts";
import { type Dataset, datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { train } from "../../../core/model/train.ts";
import type { Story } from "./story.ts";

/**
 * Fits the logistic model on the rows that a published figure was fitted on and measures it on the same held-out rows, with
 * the product's own feature builder. Says both in one line.
 */
export function referenceFit(story: Story): string {
  const dataset = referenceDataset(story);
  const { metrics } = train(dataset, {
    learner: "logistic",
    seed: 1,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
  });
  const found = number(metrics, "log_loss");
  const difference = found - story.reference_log_loss;
  return (
    `On the reference split (docs/learning.md): log loss ${found.toFixed(4)}, AUC ${number(metrics, "roc_auc").toFixed(4)}; ` +
    `scikit-learn's logistic regression ${story.reference_log_loss.toFixed(4)} (difference ${difference.toFixed(4)})`
  );
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
