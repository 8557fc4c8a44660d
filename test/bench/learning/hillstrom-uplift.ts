import { createHash } from "node:crypto";
import { Artifact } from "../../../core/model/artifact.ts";
import type { Slice } from "../../../core/model/dataset.ts";
import type { Learner } from "../../../core/model/model.ts";
import { createScorer } from "../../../core/model/score.ts";
import { train } from "../../../core/model/train.ts";
import { referenceSlice } from "../../../server/cli/demo/story.ts";
import { type Customer, readHillstrom } from "./hillstrom.ts";
import { trialDataset } from "./trial-dataset.ts";

/** Visit rate with the e-mail less without, among the test rows that a ranking puts into its upper and its lower half. */
interface Halves {
  readonly ranking: string;
  readonly top: number;
  readonly bottom: number;
}

/** The women's e-mail against none: ranked by the effect of the e-mail, and by how likely a visit is at all. */
export function upliftHalves(directory: string, learners: readonly Learner[]): readonly Halves[] {
  const customers = readHillstrom(directory)
    .map((customer, i) => ({ ...customer, slice: referenceSlice(i) }))
    .filter(({ arm }) => arm !== "mens");
  const test = customers.filter(({ slice }) => slice === "validation");
  return learners.flatMap((learner) => {
    const scorer = createScorer(fitArtifact(customers, learner));
    const scored = test.map((customer) => {
      const [without = 0, treated = 0] = scorer.scoreArms(customer.attributes, {}, 0).probabilities;
      return { customer, effect: treated - without, likely: (treated + without) / 2 };
    });
    return [
      {
        ranking: `effect of the e-mail, ${learner}`,
        ...halves(scored.map(({ customer, effect }) => [customer, effect])),
      },
      { ranking: `likely to visit, ${learner}`, ...halves(scored.map(({ customer, likely }) => [customer, likely])) },
    ];
  });
}

function fitArtifact(customers: readonly (Customer & { slice: Slice })[], learner: Learner): Artifact {
  const dataset = trialDataset(customers, ["none", "womens"]);
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  return Artifact.parse(train(dataset, { learner, target: "uplift", seed: 1, hash, now: () => 0 }).artifact);
}

function halves(ranked: readonly (readonly [Customer, number])[]): { top: number; bottom: number } {
  const order = [...ranked].sort(([, a], [, b]) => b - a).map(([customer]) => customer);
  const middle = order.length >> 1;
  return { top: effectOf(order.slice(0, middle)), bottom: effectOf(order.slice(middle)) };
}

function effectOf(customers: readonly Customer[]): number {
  const rate = (arm: Customer["arm"]) => {
    const own = customers.filter((customer) => customer.arm === arm);
    return own.filter(({ visit }) => visit).length / own.length;
  };
  return rate("womens") - rate("none");
}
