import { describe, expect, test } from "vitest";
import type { Json } from "../../../core/json.ts";
import { Artifact, canonicalJson } from "../../../core/model/artifact.ts";
import type { Example } from "../../../core/model/dataset.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { train } from "../../../core/model/train.ts";
import { Invalid } from "../../../core/ports.ts";
import { datasetOf, START, shop, shopExamples, trainOptions } from "./made-up-shop.ts";

const DAY = 86_400_000;

function metricsOf(model: { metrics: Json }) {
  return model.metrics as unknown as Record<"roc_auc" | "log_loss" | "base_rate_log_loss" | "ece", number>;
}

function refusal(examples: readonly Example[]): Invalid {
  try {
    train(datasetOf(examples), trainOptions());
  } catch (error) {
    if (error instanceof Invalid) return error;
    throw error;
  }
  throw new Error("Expected train() to refuse");
}

/** All coefficients as log odds per unit of the standardised inputs, by the inputs' names. */
function coefficientsOf(artifact: Json): Map<string, number> {
  const { encoding, model } = Artifact.parse(artifact);
  if (model.learner !== "logistic") throw new Error("Expected a logistic model");
  return new Map(encoding.columns.map(({ name, sd }, j) => [name, (model.coefficients[j] as number) / sd]));
}

describe("train()", () => {
  test("learns what there is to learn, and says so", () => {
    const model = train(shop({ users: 3000 }), trainOptions());
    expect(metricsOf(model).roc_auc).toBeGreaterThan(0.75);
    expect(metricsOf(model).ece).toBeLessThan(0.06);
    expect(model.promote).toBe(true);
    expect(model.verdict).toMatch(
      /^Live: on 600 held-out decisions its log loss is 0\.\d{3} against 0\.\d{3} for the base rate\.$/,
    );
    expect(model.process.dataset_profile).toMatchObject({
      rows: 3000,
      train_rows: 1800,
      calibration_rows: 600,
      test_rows: 600,
      split: "time",
    });
    expect(model.process.feature_columns).toEqual(expect.arrayContaining(["attribute.plan=pro", "events.buy.count"]));
  });

  test("finds nothing where labels are shuffled: AUC 0.5 over 20 seeds, and no model of noise goes live", () => {
    const examples = shopExamples({ users: 1500 });
    const models = Array.from({ length: 20 }, (_, seed) => {
      const random = seededRandom(seed + 100);
      const labels = examples.map(({ label }) => ({ label, key: random() })).sort((a, b) => a.key - b.key);
      return train(
        datasetOf(examples.map((example, i) => ({ ...example, label: labels[i]?.label ?? false }))),
        trainOptions({ seed }),
      );
    });
    const mean = models.reduce((sum, model) => sum + metricsOf(model).roc_auc, 0) / models.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    expect(models.filter(({ promote }) => promote).length).toBeLessThanOrEqual(1);
    expect(models[0]?.verdict).toMatch(/^Kept as a candidate/);
  });

  test("makes the same artifact, byte for byte, of the same data and seed", () => {
    for (const learner of ["logistic", "svm"] as const) {
      const [one, two] = [1, 1].map(() => train(shop(), trainOptions({ learner })));
      expect(canonicalJson(one?.artifact ?? null)).toBe(canonicalJson(two?.artifact ?? null));
      expect(one?.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(one?.hash).toBe(two?.hash);
    }
  });

  test("stores only JSON that reads back as the same artifact", () => {
    for (const learner of ["logistic", "svm"] as const) {
      const { artifact, metrics, process } = train(shop(), trainOptions({ learner }));
      const back = JSON.parse(JSON.stringify(artifact)) as Json;
      expect(Artifact.parse(back)).toEqual(artifact);
      expect(JSON.stringify([metrics, process])).not.toMatch(/null|NaN|Infinity/);
    }
  });

  test("fits every learner with auto and keeps the one with the lowest log loss", () => {
    const model = train(shop({ users: 900 }), trainOptions({ learner: "auto" }));
    const benchmark = model.process.benchmark as { model_name: string; log_loss: number }[];
    expect(benchmark.map(({ model_name }) => model_name)).toEqual(["logistic", "trees", "svm"]);
    const best = [...benchmark].sort((a, b) => a.log_loss - b.log_loss)[0];
    expect(model.learner).toBe(best?.model_name);
    expect(metricsOf(model).log_loss).toBe(best?.log_loss);
  });

  test("reports a learner that fails, and goes on with the others", () => {
    // Without a column that varies there is nothing a machine could be fitted on.
    const examples = shopExamples({ users: 200 }).map((example) => ({ ...example, row: { "attribute.same": 1 } }));
    const model = train(datasetOf(examples), trainOptions({ learner: "auto" }));
    expect(model.learner).not.toBe("svm");
    expect(model.promote).toBe(false);
    expect((model.process.benchmark as Json[])[2]).toMatchObject({
      model_name: "svm",
      status: "failed",
      reason: "Cannot fit a support vector machine: no column varies",
    });
  });

  test("refuses, with the learner's own words, when none of the learners asked for can be fitted", () => {
    const examples = shopExamples({ users: 200 }).map((example) => ({ ...example, row: { "attribute.same": 1 } }));
    const fitting = () => train(datasetOf(examples), trainOptions({ learner: "svm" }));
    expect(fitting).toThrow(Invalid);
    expect(fitting).toThrow(expect.objectContaining({ code: "learner_failed" }));
    expect(fitting).toThrow(/svm: .*no column varies.* "logistic"/);
  });

  test("says of a support vector machine that it keeps rows, and makes probabilities of its scores", () => {
    const model = train(shop({ users: 1500 }), trainOptions({ learner: "svm" }));
    const { model: kept } = Artifact.parse(model.artifact);
    if (kept.learner !== "svm") throw new Error("Expected a support vector machine");
    expect(kept.keeps).toContain(`${kept.vectors.length} encoded rows of the training data`);
    expect(kept.vectors.length).toBeLessThanOrEqual(1000);
    expect(metricsOf(model).log_loss).toBeLessThan(metricsOf(model).base_rate_log_loss);
    expect(metricsOf(model).ece).toBeLessThan(0.08);
  });

  test("is not moved by one user's 10,000 events", () => {
    const examples = shopExamples({ users: 4000 });
    const heavy: Example[] = Array.from({ length: 20 }, (_, i) => ({
      unit: "heavy",
      at: START + i * DAY,
      row: {
        ...examples[i]?.row,
        "attribute.basket": 1e9,
        "events.count": 10_000,
        "events.view.count": 10_000,
        "events.view.per_day": 5000,
        "events.view.value_sum": 1e8,
      },
      label: true,
    }));
    const [without, with_] = [examples, [...examples, ...heavy]].map((all) =>
      coefficientsOf(train(datasetOf(all), trainOptions()).artifact),
    ) as [Map<string, number>, Map<string, number>];
    // Those that say something: others are noise around 0, where a ratio means nothing.
    for (const name of ["attribute.plan=pro", "attribute.basket", "events.buy.count"]) {
      const [before, after] = [without.get(name) as number, with_.get(name) as number];
      expect(Math.abs(after / before - 1), `${name}: ${before} became ${after}`).toBeLessThan(0.01);
    }
    expect([...with_.keys()]).toEqual([...without.keys()]);
  });

  test("stays finite whatever the columns hold", () => {
    const random = seededRandom(9);
    const odd = [1, "1", true, false, "", "x".repeat(100), -1e300, 1e300, 5e-324, 0, null, "NaN", "__proto__"];
    const examples = shopExamples({ users: 800 }).map((example, i) => ({
      ...example,
      row: {
        ...example.row,
        "attribute.mixed": odd[Math.floor(random() * odd.length)] ?? null,
        "attribute.huge": i % 2 ? 1e308 * random() : -1e308 * random(),
        "attribute.tiny": 1e-310 * random(),
        "attribute.rare": i === 5 ? 1 : 0,
        "attribute.once": i === 6 ? "x" : null,
        "attribute.copy": example.row["attribute.basket"] ?? null,
      },
    }));
    const model = train(datasetOf(examples), trainOptions());
    expect(JSON.stringify(model.metrics)).not.toContain("null");
    expect(Artifact.safeParse(model.artifact).success).toBe(true);
    for (const gone of ["copy", "rare", "once", "once missing"])
      expect(model.process.feature_columns).not.toContain(`attribute.${gone}`);
    expect(metricsOf(model).roc_auc).toBeGreaterThan(0.7);
  });

  test("never makes a column of identifiers, of texts or of what only a few users have", () => {
    const examples = shopExamples({ users: 800 }).map((example, i) => ({
      ...example,
      row: { ...example.row, "attribute.email": `${example.unit}@example.org`, "attribute.vip": i % 100 === 0 },
    }));
    const columns = train(datasetOf(examples), trainOptions()).process.feature_columns as string[];
    expect(columns.filter((name) => /email|session|user_id|schema|constant|vip/.test(name))).toEqual([]);
  });

  test("keeps a model as a candidate that is clearly worse than the live one, and says both", () => {
    const dataset = shop({ users: 4000 });
    const live = Artifact.parse(train(dataset, trainOptions()).artifact);
    const again = train(dataset, trainOptions({ champion: live }));
    expect(again.promote).toBe(true);
    expect(again.verdict).toMatch(/^Live: .* for the base rate and 0\.\d{3} for the live model\.$/);
    // What matters most was not known until the last moments, so the new model never learned of it; the live one did.
    const late = shopExamples({ users: 4000 }).map((example, i) => {
      const unknown = i < 3200 ? { "attribute.plan": null, "attribute.basket": null } : {};
      return { ...example, row: { ...example.row, ...unknown } };
    });
    const worse = train(datasetOf(late), trainOptions({ champion: live }));
    expect(worse.promote).toBe(false);
    expect(worse.verdict).toMatch(
      /^Kept as a candidate: .* it is clearly worse than the live model \(log loss .* for the live model\)\.$/,
    );
  });

  test("ignores a live model that says something else", () => {
    const live = Artifact.parse(train(shop(), trainOptions()).artifact);
    const other = { ...live, feature_schema: 99 };
    expect(train(shop({ users: 3000 }), trainOptions({ champion: other })).verdict).not.toMatch(/live model/);
  });

  test("refuses too few examples and says how many there are and are needed", () => {
    const error = refusal(shopExamples({ users: 30 }));
    expect(error.code).toBe("insufficient_data");
    expect(error.message).toContain("Cannot train on 30 moments");
    expect(error.message).toContain("At least 50 are needed");
  });

  test("refuses one class only", () => {
    const examples = shopExamples({ users: 100 }).map((example) => ({ ...example, label: false }));
    const error = refusal(examples);
    expect(error.code).toBe("one_class");
    expect(error.message).toContain("0 of them were followed by a positive event, 100 were not");
  });

  test("refuses too few positives", () => {
    const examples = shopExamples({ users: 100 }).map((example, i) => ({ ...example, label: i % 20 === 0 }));
    expect(refusal(examples)).toMatchObject({ code: "insufficient_data" });
  });
});
