import { createHash } from "node:crypto";
import { completeObjective, Objective } from "../../../core/feature/objective.ts";
import type { Json } from "../../../core/json.ts";
import { type Dataset, datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { type TrainedModel, type TrainOptions, train } from "../../../core/model/train.ts";
import { judgeBy } from "../../../workers/judge-challenger.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../../support/make-configuration.ts";
import { printTable } from "../print-table.ts";
import { ARMS, type Customer, readHillstrom } from "./hillstrom.ts";
import { readSet, setsIn } from "./sets.ts";

const SEEDS = 20;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

/**
 * Real users with outcomes dealt out anew among them, so that there is nothing to be learned: what AUC the learners claim on
 * rows they have not seen, how often a model is promoted all the same, and what is said of the others. Propensity by the
 * test against the base rate, uplift by the gate, as training does.
 */
export async function benchNoise(directory: string): Promise<void> {
  const lines: string[][] = [];
  const verdicts: string[] = [];
  const measure = (name: string, dataset: Dataset, options: Partial<TrainOptions>) => {
    const models = Array.from({ length: SEEDS }, (_, i) => fitted(permuted(dataset, i + 1), i + 1, options));
    const promoted = models.filter(({ promote }) => promote);
    const refused = models.find(({ promote }) => !promote);
    for (const learner of ["logistic", "trees", "svm"]) {
      const aucs = models.flatMap((model) => aucOf(model, learner));
      if (aucs.length === 0) continue; // not among what is fitted for this target
      const mean = aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length;
      const sd = Math.sqrt(aucs.reduce((sum, auc) => sum + (auc - mean) ** 2, 0) / (aucs.length - 1));
      const met = Math.abs(mean - 0.5) <= 0.01 ? "yes" : "NO";
      lines.push([name, learner, String(aucs.length), mean.toFixed(4), sd.toFixed(4), met]);
    }
    verdicts.push(
      `${name}: ${promoted.length} of ${SEEDS} promoted${promoted.map(({ learner, verdict }) => ` (${learner}: ${verdict})`).join("")}. Of the first that was not: ${refused?.verdict}`,
    );
  };
  measure("online-shoppers, propensity", readSet("online-shoppers", directory).dataset, {});
  if (setsIn(directory).includes("hillstrom")) {
    const customers = readHillstrom(directory);
    measure("hillstrom, uplift", upliftDataset(customers), { target: "uplift", judge: gate() });
  }
  printTable([["set", "learner", "seeds", "mean AUC", "sd", "0.5 +- 0.01"], ...lines]);
  console.log(`\n${verdicts.join("\n")}`);
}

function fitted(dataset: Dataset, seed: number, options: Partial<TrainOptions>): TrainedModel {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  return train(dataset, { learner: "auto", seed, hash, now: () => 0, ...options });
}

function permuted(dataset: Dataset, seed: number): Dataset {
  const random = seededRandom(seed);
  const labels = dataset.labels.slice();
  for (let i = labels.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [labels[i], labels[j]] = [labels[j] as number, labels[i] as number];
  }
  return { ...dataset, labels, values: Float64Array.from(labels) };
}

/** Of one learner of the benchmark; none when it could not be fitted. */
function aucOf({ process }: TrainedModel, learner: string): readonly number[] {
  const rows = process.benchmark as readonly { readonly [name: string]: Json }[];
  return rows.flatMap(({ model_name, roc_auc }) =>
    model_name === learner && typeof roc_auc === "number" ? [roc_auc] : [],
  );
}

/** The trial as decisions that were drawn with a third each, one a minute. */
function upliftDataset(customers: readonly Customer[]): Dataset {
  const builder = datasetBuilder({ arms: ARMS });
  customers.forEach(({ attributes, arm, visit }, i) => {
    const at = START + i * 60_000;
    builder.add({
      ...{ unit: `customer-${i}`, at, row: featureRow(attributes, undefined, at), label: visit },
      ...{ arm, probability: 1 / ARMS.length },
    });
  });
  const visits = customers.filter(({ visit }) => visit).length;
  return builder.build({
    ...{ total_events: visits, unique_users: customers.length, positive_events: visits },
    ...{ moments: "exposures", window_seconds: DAY / 1000, positive_event_types: ["visit"], immature: 0, capped: 0 },
    data_window: {
      from: new Date(START).toISOString(),
      to: new Date(START + customers.length * 60_000 + DAY).toISOString(),
    },
  });
}

/** Of a feature that sends each e-mail, or none, to a third, until a model knows better. */
function gate(): NonNullable<TrainOptions["judge"]> {
  const thirds = [33.334, 33.333, 33.333];
  const feature = makeFeature({
    key: "email",
    type: "string",
    variants: Object.fromEntries(ARMS.map((arm) => [arm, arm])),
    off_variant: "none",
    objective: Objective.parse({ event_types: ["visit"], window_seconds: DAY / 1000 }),
    steps: [
      { id: "model", strategy: "ml-model", config: {}, on_failure: "next" },
      {
        id: "rollout",
        strategy: "hash-bucketing",
        config: { arms: ARMS.map((variant, i) => ({ variant, weight: thirds[i] as number })) },
        on_failure: "next",
      },
    ],
  });
  const objective = completeObjective(feature);
  if (objective === null) throw new Error("The feature has an objective");
  const configuration = makeConfiguration({ features: [feature] });
  return judgeBy({ configuration, strategies: STRATEGIES, feature, objective, champion: null });
}
