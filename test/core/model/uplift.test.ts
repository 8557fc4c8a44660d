import { describe, expect, test } from "vitest";
import type { Json } from "../../../core/json.ts";
import { Artifact, canonicalJson } from "../../../core/model/artifact.ts";
import { calibrator } from "../../../core/model/calibration.ts";
import { createPredictor } from "../../../core/model/create-predictor.ts";
import { rowAt } from "../../../core/model/dataset.ts";
import { encodeRows } from "../../../core/model/encode-rows.ts";
import type { JudgeEvidence } from "../../../core/model/judge-trained.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { createScorer } from "../../../core/model/score.ts";
import { train } from "../../../core/model/train.ts";
import { Invalid } from "../../../core/ports.ts";
import { START, trainOptions } from "./made-up-shop.ts";
import { ARMS, type TrialOptions, trialDataset, trialExamples } from "./made-up-trial.ts";

const LEARNERS = ["logistic", "trees", "svm", "ridge"] as const;

function learned(options: TrialOptions & Partial<Parameters<typeof train>[1]> = {}) {
  const model = train(trialDataset(trialExamples(options)), trainOptions({ target: "uplift", ...options }));
  return { ...model, artifact: Artifact.parse(model.artifact) };
}

describe("train() for uplift", () => {
  test.each(LEARNERS)("finds the segment that an arm helps, and the one that it harms: %s", (learner) => {
    const { artifact } = learned({ learner, users: 6000 });
    expect(artifact).toMatchObject({ target: "uplift", arms: ["off", "red", "blue"] });
    const scorer = createScorer(artifact);
    for (const plan of ["free", "pro"]) {
      const mobile = scorer.scoreArms({ mobile: true, age: 40, plan }, {}, START);
      expect(mobile.best).toBe(1);
      expect(mobile.confidence).toBeGreaterThan(0.95);
      const [off, red] = mobile.probabilities;
      // A machine is fitted on 1,000 rows only.
      const near = learner === "svm" ? 0.12 : 0.08;
      expect(Math.abs((off as number) - 0.2)).toBeLessThan(near);
      expect(Math.abs((red as number) - 0.4)).toBeLessThan(near);
      const desk = scorer.scoreArms({ mobile: false, age: 40, plan }, {}, START);
      expect(desk.probabilities[1]).toBeLessThan(0.1 + near);
      expect(desk.best).toBe(2);
    }
  });

  test("turns signs for an outcome that is to decrease", () => {
    const { artifact } = learned({ users: 6000, direction: "decrease" });
    const scorer = createScorer(artifact, { direction: "decrease" });
    const desk = scorer.scoreArms({ mobile: false, age: 40, plan: "pro" }, {}, START);
    expect(desk.best).toBe(1);
    expect(desk.confidence).toBeGreaterThan(0.95);
    const mobile = scorer.scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START);
    expect(mobile.best).toBe(2);
    expect(mobile.confidence).toBeLessThan(0.9);
  });

  test("wants more for a margin, and never reaches one beyond what is possible", () => {
    const { artifact } = learned({ users: 6000 });
    const confidence = (margin: number) =>
      createScorer(artifact, { margin }).scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START).confidence;
    expect(confidence(0.1)).toBeGreaterThan(0.9);
    expect(confidence(0.2)).toBeLessThan(0.9);
    expect(confidence(0.3)).toBeLessThan(0.1);
    expect(confidence(0.9)).toBe(0);
  });

  test("learns amounts as shares of their cap", () => {
    const { artifact } = learned({ users: 20_000, amounts: true, value_cap: 50 });
    expect(artifact.value_cap).toBe(50);
    const { probabilities } = createScorer(artifact).scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START);
    // 0.4 of them something, 0.6 on average.
    expect(Math.abs((probabilities[1] as number) - 0.24)).toBeLessThan(0.03);
    expect(Math.abs((probabilities[0] as number) - 0.12)).toBeLessThan(0.03);
  });

  test.each(LEARNERS)("serves every arm as it was trained: %s", (learner) => {
    const dataset = trialDataset(trialExamples({ users: 900 }));
    const artifact = Artifact.parse(train(dataset, trainOptions({ target: "uplift", learner })).artifact);
    const scorer = createScorer(artifact);
    const predictor = createPredictor(artifact.model);
    const probabilityOf = calibrator(artifact.calibration);
    const rows = Uint32Array.from({ length: 100 }, (_, i) => i * 9);
    const x = encodeRows(dataset, artifact.encoding, rows);
    const columns = artifact.encoding.columns.length;
    rows.forEach((row, i) => {
      const { "attribute.mobile": mobile, "attribute.age": age, "attribute.plan": plan } = rowAt(dataset, row);
      const served = scorer.scoreArms({ mobile, age, plan }, {}, dataset.at[row] as number);
      for (let arm = 0; arm < 3; arm++) {
        const raw = predictor.raw(x, i * columns, arm);
        expect(Math.abs((served.log_odds[arm] as number) - predictor.logOdds(raw))).toBeLessThan(1e-9);
        expect(Math.abs((served.probabilities[arm] as number) - probabilityOf(raw))).toBeLessThan(1e-9);
      }
      const error = predictor.differenceError(x, i * columns, served.best, 0);
      expect(error).toBeGreaterThan(0);
      // In log odds: a machine whose solver ran away would be unsure without end.
      expect(error).toBeLessThan(2);
    });
  });

  test("is sure in nine of ten cases in which it says 0.9: effects of nothing are seldom believed", () => {
    const believed = Array.from({ length: 40 }, (_, seed) => {
      const { artifact } = learned({ seed: seed + 50, users: 1500, rate: () => 0.25 });
      return createScorer(artifact).scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START).confidence > 0.95;
    });
    // Two arms are looked at, the better one is asked: one in ten at most.
    expect(believed.filter(Boolean).length).toBeLessThanOrEqual(8);
  });

  test("makes the same artifact, byte for byte, of the same data and seed", () => {
    for (const learner of LEARNERS) {
      const [one, two] = [1, 2].map(() => learned({ learner, users: 600 }));
      expect(canonicalJson(one?.artifact as unknown as Json)).toBe(canonicalJson(two?.artifact as unknown as Json));
      expect(one?.hash).toBe(two?.hash);
    }
  });

  test("finds nothing where outcomes are shuffled: AUC 0.5 over 10 seeds", () => {
    const aucs = Array.from({ length: 10 }, (_, seed) => {
      const examples = trialExamples({ users: 1500 });
      const random = seededRandom(seed + 7);
      const labels = examples.map(({ label }) => ({ label, key: random() })).sort((a, b) => a.key - b.key);
      const shuffled = examples.map((example, i) => ({ ...example, label: labels[i]?.label ?? false }));
      const { metrics } = train(trialDataset(shuffled), trainOptions({ target: "uplift", seed }));
      return (metrics as { roc_auc: number }).roc_auc;
    });
    expect(Math.abs(aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length - 0.5)).toBeLessThan(0.03);
  });

  test("is not moved by one user's 10,000 decisions", () => {
    const slices = ["train", "calibration", "validation"] as const;
    const examples = trialExamples({ users: 12_000 }).map((one, i) => ({
      ...one,
      slice: slices[Math.floor(i / 4000)],
    }));
    const heavy = examples.slice(0, 20).map((example, i) => ({
      ...example,
      at: START + i * 86_400_000,
      unit: "heavy",
      label: true,
      arm: "blue",
    }));
    const [before, after] = [examples, [...examples, ...heavy]].map((all) => {
      const { artifact } = train(trialDataset(all), trainOptions({ target: "uplift" }));
      return createScorer(Artifact.parse(artifact)).scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START);
    });
    for (let arm = 0; arm < 3; arm++)
      expect(Math.abs((after?.log_odds[arm] as number) / (before?.log_odds[arm] as number) - 1)).toBeLessThan(0.01);
  });

  test("tells the arms, and what following the model's ranking was worth", () => {
    const { metrics, process } = learned({ users: 6000, code_version: "1.2.3" });
    const { uplift_top_half, uplift_bottom_half } = metrics as Record<string, number>;
    // Those on mobile gain 0.2 by red; for the others blue, the best there is, changes nothing.
    expect(Math.abs((uplift_top_half as number) - 0.2)).toBeLessThan(0.08);
    expect(Math.abs(uplift_bottom_half as number)).toBeLessThan(0.08);
    expect(process).toMatchObject({ target: "uplift", code_version: "1.2.3", seed: 1, feature_schema: 1 });
    const arms = process.arms as { arm: string; rows: number; positives: number }[];
    expect(arms.map(({ arm }) => arm)).toEqual([...ARMS]);
    expect(arms.reduce((sum, { rows }) => sum + rows, 0)).toBe(6000);
  });

  test("asks the judge with rows that the model has not seen, and promotes when it says so", () => {
    let asked: JudgeEvidence | undefined;
    const judge = (evidence: JudgeEvidence) => {
      asked = evidence;
      return { promote: true, verdict: "Live: it is better.", report: { effect: 0.1 } };
    };
    const { promote, verdict, metrics } = learned({ judge });
    expect([promote, verdict]).toEqual([true, "Live: it is better."]);
    expect(metrics).toMatchObject({ gate: { effect: 0.1 } });
    expect(asked?.rows).toHaveLength(600);
    expect(asked?.q).toHaveLength(1800);
    const first = asked?.rows[0] as number;
    expect(asked?.dataset.at[first]).toBeGreaterThanOrEqual(START + 2400 * 60_000);
    const {
      "attribute.mobile": mobile,
      "attribute.age": age,
      "attribute.plan": plan,
    } = rowAt(asked?.dataset as JudgeEvidence["dataset"], first);
    const scorer = createScorer((asked as JudgeEvidence).artifact);
    const { probabilities } = scorer.scoreArms({ mobile, age, plan }, {}, START);
    expect([...probabilities]).toEqual([...(asked?.q.slice(0, 3) ?? [])]);
  });

  test("keeps an unjudged model as a candidate", () => {
    expect(learned({})).toMatchObject({
      promote: false,
      verdict: expect.stringMatching(/^Kept as a candidate: nothing/),
    });
  });

  test("keeps a model as a candidate whose arms have fewer than 50 positives, whatever the judge says", () => {
    const judge = () => ({ promote: true, verdict: "It is better.", report: null });
    const { promote, verdict } = learned({ users: 400, judge });
    expect(promote).toBe(false);
    expect(verdict).toMatch(/stale: fewer than 50 positives an arm \(off has \d+, .*\)\. It is better\.$/);
  });
});

describe("train() for uplift", () => {
  test("leaves out an arm of which too little is known, and learns the others", () => {
    const added = trialExamples({ users: 3000 }).filter(({ arm }, i) => arm !== "blue" || i % 60 === 0);
    const { artifact, process } = train(trialDataset(added), trainOptions({ target: "uplift" }));
    const parsed = Artifact.parse(artifact);
    expect(parsed.arms).toEqual(["off", "red"]);
    expect(createScorer(parsed).scoreArms({ mobile: true, age: 40, plan: "pro" }, {}, START).best).toBe(1);
    expect(process.arms).toContainEqual(expect.objectContaining({ arm: "blue" }));
  });
});

describe("train() of a bandit", () => {
  test("learns every decision, those it was measured on too, and is measured without them", () => {
    const { artifact, process } = learned({ learner: "ridge", users: 3000 });
    if (artifact.model.learner !== "ridge") throw new Error("Expected a ridge regression");
    const { train_rows, calibration_rows, test_rows } = process.dataset_profile as Record<string, number>;
    expect(train_rows).toBeLessThan(3000 * 0.7);
    const outcomes = artifact.model.arms.reduce((sum, { n }) => sum + n, 0);
    expect(outcomes).toBe((train_rows as number) + (calibration_rows as number) + (test_rows as number));
  });
});

describe("train() for uplift refuses", () => {
  const refusal = (
    options: TrialOptions,
    change: (all: ReturnType<typeof trialExamples>) => typeof all = (all) => all,
  ) => {
    try {
      train(trialDataset(change(trialExamples(options))), trainOptions({ target: "uplift" }));
    } catch (error) {
      if (error instanceof Invalid) return error;
      throw error;
    }
    throw new Error("Expected train() to refuse");
  };

  test("one arm", () => {
    const error = refusal({}, (all) => all.filter(({ arm }) => arm === "off"));
    expect(error.code).toBe("one_arm");
    expect(error.message).toMatch(/off was the only variant served/);
  });

  test("too few positives of all but one arm, and says how many there are of each", () => {
    const error = refusal({ users: 1200, rate: (_, arm) => (arm === 0 ? 0.3 : 0) });
    expect(error.code).toBe("insufficient_data");
    expect(error.message).toMatch(/off \d+, \d+ of them positive; red \d+, 0 of them positive; blue \d+, 0 of them/);
  });

  test("a safe arm that was never served", () => {
    const error = refusal({}, (all) => all.filter(({ arm }) => arm !== "off"));
    expect(error.code).toBe("insufficient_data");
    expect(error.message).toMatch(/off 0, 0 of them positive.* of the safe variant \(off\)/);
  });

  test("one class", () => {
    expect(refusal({ rate: () => 0 }).code).toBe("one_class");
  });
});
