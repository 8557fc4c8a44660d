/** Trains every learner on the same data under the runtime it is run by, and prints what came of it: see reproducible.test.ts. */
import process from "node:process";
import { Artifact } from "../../../core/model/artifact.ts";
import { rowAt } from "../../../core/model/dataset.ts";
import type { Learner } from "../../../core/model/model.ts";
import { createRowScorer } from "../../../core/model/row-scorer.ts";
import { train } from "../../../core/model/train.ts";
import { shop, trainOptions } from "./made-up-shop.ts";

export interface Trained {
  readonly learner: Learner;
  readonly hash: string;
  /** Of the first users. */
  readonly probabilities: readonly number[];
}

const LEARNERS: readonly Learner[] = ["logistic", "trees", "svm", "ridge"];

export function trainedHere(): readonly Trained[] {
  const dataset = shop({ users: 900 });
  return LEARNERS.map((learner) => {
    const { artifact, hash } = train(dataset, trainOptions({ learner }));
    const score = createRowScorer(Artifact.parse(artifact));
    const probabilities = Array.from({ length: 100 }, (_, row) => score(rowAt(dataset, row), "")?.probability ?? 0);
    return { learner, hash, probabilities };
  });
}

if (import.meta.main) process.stdout.write(JSON.stringify(trainedHere()));
