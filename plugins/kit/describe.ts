import { test as nodeTest } from "node:test";
import type { BucketingAlgorithm } from "../../core/bucketing/algorithm.ts";
import type { Operator } from "../../core/feature/operators/operator.ts";
import type { Strategy } from "../../core/strategy.ts";
import type { Check } from "./check.ts";
import { type AlgorithmSamples, checkAlgorithm } from "./check-algorithm.ts";
import { checkOperator, type OperatorSamples } from "./check-operator.ts";
import { type CheckOptions, checkStrategy } from "./check-strategy.ts";

/** `test` of node:test, vitest, Deno, Bun: a name and what to run. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/**
 * Adds a test for each promise of the contract, with the samples given:
 *
 *     describeStrategy(strategy, { configs: [{ variant: "on" }], refused: [{}] });       // node:test, also on Deno
 *     describeStrategy(strategy, { configs: [{ variant: "on" }], refused: [{}] }, test); // vitest's test
 */
export function describeStrategy<Config>(strategy: Strategy<Config>, samples: CheckOptions, test?: TestFunction): void {
  add(strategy.id, checkStrategy(strategy, samples), test);
}

/** `describeOperator("within_radius_v1", operators.within_radius_v1, { matches: [...], misses: [...], refused: [...] })`. */
export function describeOperator(
  name: string,
  operator: Operator,
  samples: OperatorSamples,
  test?: TestFunction,
): void {
  add(name, checkOperator(name, operator, samples), test);
}

/** `describeAlgorithm("fnv1a-v1", bucketing["fnv1a-v1"], { known: [["seed", "unit", 4711]] })`. */
export function describeAlgorithm(
  name: string,
  algorithm: BucketingAlgorithm,
  samples: AlgorithmSamples = {},
  test?: TestFunction,
): void {
  add(name, checkAlgorithm(name, algorithm, samples), test);
}

function add(subject: string, checks: readonly Check[], test: TestFunction | undefined): void {
  if (test === undefined && globalThis.process?.env.VITEST !== undefined)
    throw new TypeError(
      "Under vitest, which does not see the tests of node:test, pass its own `test` as the last argument",
    );
  for (const { name, run } of checks) (test ?? nodeTest)(`${subject}: ${name}`, run);
}
