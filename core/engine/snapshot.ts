import type { Configuration } from "../ports.ts";
import type { Strategy } from "../strategy.ts";

/** All features, segments, running experiments and live models of one environment: compiled, immutable, swapped whole. */
export interface Snapshot {
  readonly environment: string;
  readonly revision: number;
  /** Features as stored, by key. */
  readonly features: ReadonlyMap<string, CompiledFeature>;
}

export interface CompiledFeature {
  readonly key: string;
  /** True when a step wants the user's profile: the caller then passes it to evaluate. */
  readonly profile: boolean;
  /** True when a step learns: its exposures store the raw feature row. */
  readonly learns: boolean;
}

export declare function compile(
  configuration: Configuration,
  strategies: ReadonlyMap<string, Strategy>,
  previous?: Snapshot,
): Snapshot;
