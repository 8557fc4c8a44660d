import { createHash } from "node:crypto";
import { Artifact } from "../../../core/model/artifact.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { createScorer } from "../../../core/model/score.ts";
import { train } from "../../../core/model/train.ts";
import { evidenceBuilder } from "../../../core/off-policy/evidence.ts";
import { judgeChallenger } from "../../../core/off-policy/gate.ts";
import { referenceSlice } from "../../../server/cli/demo/story.ts";
import { ARMS, readHillstrom } from "./hillstrom.ts";
import { trialDataset } from "./trial-dataset.ts";

/** What the gate says of a model that serves each test customer the e-mail with the best estimated visit rate, over always-men's. */
export function judgeHillstrom(directory: string): string {
  const customers = readHillstrom(directory).map((customer, i) => ({ ...customer, slice: referenceSlice(i) }));
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const model = train(trialDataset(customers, ARMS), {
    learner: "logistic",
    target: "uplift",
    seed: 1,
    hash,
    now: () => 0,
  });
  const scorer = createScorer(Artifact.parse(model.artifact));
  const builder = evidenceBuilder(ARMS, 0);
  customers.forEach(({ attributes, arm, visit, slice }, i) => {
    if (slice !== "validation") return;
    const q = Array.from(scorer.scoreArms(attributes, {}, 0).probabilities);
    const best = ARMS[q.indexOf(Math.max(...q))] as string;
    builder.add(
      {
        ...{ unit: `customer-${i}`, at: 0, row: featureRow(attributes, {}, 0), variant: arm, probability: 1 / 3 },
        ...{ probabilities: { none: 1 / 3, mens: 1 / 3, womens: 1 / 3 }, reward: Number(visit), guardrails: [] },
      },
      [{ mens: 1 }, { [best]: 1 }],
      q,
    );
  });
  const { evidence, policies, q } = builder.build();
  const [champion, challenger] = policies;
  if (champion === undefined || challenger === undefined || q === null) throw new Error("Nothing to judge");
  const names = { champion: "always men's", challenger: "the best e-mail for each by a logistic model" };
  return judgeChallenger({ evidence, champion, challenger, q, names, calibration_error: 0, guardrails: [] }).verdict;
}
