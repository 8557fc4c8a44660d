/** What authors of plugins import as `adaptive-feature-flags/plugin-kit`: the contract, and the tests that hold it. */
export { z } from "zod";
export type { Bucketer, BucketingAlgorithm } from "../../core/bucketing/algorithm.ts";
export {
  armAt,
  type CompiledSplit,
  compileSplit,
  NO_UNIT,
  OUTSIDE,
  placeIn,
} from "../../core/bucketing/compile-split.ts";
export { completeSplit } from "../../core/bucketing/complete-split.ts";
export { Split } from "../../core/bucketing/split.ts";
export type { Profile } from "../../core/event/profile.ts";
export { Condition } from "../../core/feature/condition.ts";
export type { Operator, Present } from "../../core/feature/operators/operator.ts";
export type { Json } from "../../core/json.ts";
export type {
  Abstain,
  Ask,
  Decide,
  Distribution,
  Evaluator,
  Host,
  Strategy,
  User,
  Verdict,
} from "../../core/strategy.ts";
export { checkAlgorithm } from "./check-algorithm.ts";
export { checkOperator } from "./check-operator.ts";
export { ask, checkStrategy } from "./check-strategy.ts";
export { defineStrategy } from "./define-strategy.ts";
export { describeAlgorithm, describeOperator, describeStrategy } from "./describe.ts";
