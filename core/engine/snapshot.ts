import type { Configuration } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import type { Timing } from "./timing.ts";

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

export interface CompileOptions {
  /** The snapshot this one replaces: what did not change is taken over, and circuit breakers keep their state. */
  readonly previous?: Snapshot | undefined;
  /** Default: none, see Timing. */
  readonly timing?: Timing | undefined;
}

/** Never throws: what cannot be compiled is contained in its own step or feature and fails there with the cause `error`. */
export function compile(
  _configuration: Configuration,
  _strategies: ReadonlyMap<string, Strategy>,
  _options: CompileOptions = {},
): Snapshot {
  throw new Error("Being written");
}
