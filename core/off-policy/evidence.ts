import type { Pmf } from "../engine/distribution.ts";
import type { LoggedRow } from "./logged-row.ts";

/** Logged decisions by column: what was served, how likely that was and what came of it. */
export interface Evidence {
  /** The feature's variants. A row of a variant that no longer exists has `arms.length` as its action: no policy serves it. */
  readonly arms: readonly string[];
  readonly rows: number;
  /** Units are numbered from 0 by first appearance. */
  readonly units: Uint32Array;
  readonly actions: Uint16Array;
  readonly propensities: Float64Array;
  /** 0..1. */
  readonly rewards: Float64Array;
  /** One column a guardrail, 0 or 1. */
  readonly guardrails: readonly Float64Array[];
}

/** Collects rows one by one, each with the answers of the policies that are to be compared. */
export interface EvidenceBuilder {
  /**
   * @param policies what each policy would serve here, always in one order
   * @param q estimated reward by arm, out of sample; for all rows or for none
   */
  add(row: LoggedRow, policies: readonly Pmf[], q?: ArrayLike<number>): void;
  build(): {
    readonly evidence: Evidence;
    /** rows x arms, one a policy. */
    readonly policies: readonly Float64Array[];
    /** rows x arms; null when none was given. */
    readonly q: Float64Array | null;
  };
}

/** @param guardrails how many a row has */
export function evidenceBuilder(arms: readonly string[], guardrails: number): EvidenceBuilder {
  const index = new Map(arms.map((arm, i) => [arm, i]));
  const unitIndex = new Map<string, number>();
  const units = column((n) => new Uint32Array(n));
  const actions = column((n) => new Uint16Array(n));
  const propensities = column((n) => new Float64Array(n));
  const rewards = column((n) => new Float64Array(n));
  const harms = Array.from({ length: guardrails }, () => column((n) => new Float64Array(n)));
  const matrices: ReturnType<typeof column<Float64Array>>[] = [];
  const scores = column((n) => new Float64Array(n));

  return {
    add(row, policies, q) {
      let unit = unitIndex.get(row.unit);
      if (unit === undefined) {
        unit = unitIndex.size;
        unitIndex.set(row.unit, unit);
      }
      units.push(unit);
      actions.push(index.get(row.variant) ?? arms.length);
      propensities.push(row.probability);
      rewards.push(row.reward);
      harms.forEach((harm, i) => {
        harm.push(row.guardrails[i] ?? 0);
      });
      policies.forEach((pmf, i) => {
        let matrix = matrices[i];
        if (matrix === undefined) matrix = matrices[i] = column((n) => new Float64Array(n));
        for (const arm of arms) matrix.push(pmf[arm] ?? 0);
      });
      if (q !== undefined) for (let arm = 0; arm < arms.length; arm++) scores.push(q[arm] as number);
    },
    build() {
      const q = scores.values();
      return {
        evidence: {
          arms,
          rows: units.values().length,
          units: units.values(),
          actions: actions.values(),
          propensities: propensities.values(),
          rewards: rewards.values(),
          guardrails: harms.map((harm) => harm.values()),
        },
        policies: matrices.map((matrix) => matrix.values()),
        q: q.length === 0 ? null : q,
      };
    },
  };
}

/** A typed array that grows. */
function column<T extends Float64Array | Uint32Array | Uint16Array>(make: (length: number) => T) {
  let values = make(1024);
  let length = 0;
  return {
    push(value: number): void {
      if (length === values.length) {
        const larger = make(length * 2);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    values: () => values.subarray(0, length) as T,
  };
}
