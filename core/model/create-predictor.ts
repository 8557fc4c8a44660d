import type { Artifact } from "./artifact.ts";
import { logisticPredictor } from "./logistic-predictor.ts";
import type { Predictor } from "./predictor.ts";
import { ridgePredictor } from "./ridge-predictor.ts";
import { svmPredictor } from "./svm-predictor.ts";
import { treesPredictor } from "./tree-predictor.ts";

export function createPredictor(model: Artifact["model"]): Predictor {
  switch (model.learner) {
    case "logistic":
      return logisticPredictor(model);
    case "trees":
      return treesPredictor(model);
    case "ridge":
      return ridgePredictor(model);
    case "svm":
      return svmPredictor(model);
  }
}
