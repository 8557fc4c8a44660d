import type { Profile } from "../event/profile.ts";
import { MAX_CHAIN } from "../feature/check-configuration.ts";
import type { Ask, User } from "../strategy.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import type { Timing } from "./timing.ts";

/** The ask of one evaluation, with what prerequisites need. A new one each time: a promise may hold on to it. */
export interface EngineAsk extends Ask {
  readonly features: ReadonlyMap<string, CompiledFeature>;
  readonly timing: Timing | undefined;
  /** True while the snapshot may be out of date. */
  readonly stale: boolean;
  /** How many prerequisites deep; 0: the feature that was asked for. */
  readonly depth: number;
  /** Decides a prerequisite at once. */
  readonly decide: (feature: CompiledFeature, ask: EngineAsk) => string | null;
  /** What other features serve this user, each decided once; null until one is asked about. */
  served: Map<string, string | undefined> | null;
}

export interface AskOptions {
  readonly now: number;
  readonly explain?: boolean | undefined;
  readonly profile?: Profile | undefined;
  readonly stale?: boolean | undefined;
}

export function makeAsk(
  user: User,
  snapshot: Pick<EngineAsk, "features" | "timing">,
  decide: EngineAsk["decide"],
  { now, explain, profile, stale }: AskOptions,
): EngineAsk {
  return {
    user,
    now,
    explain: explain === true,
    profile,
    variantOf,
    features: snapshot.features,
    timing: snapshot.timing,
    stale: stale === true,
    depth: 0,
    decide,
    served: null,
  };
}

/** A method, not a closure: nothing is allocated for the many features that ask about no other. */
function variantOf(this: EngineAsk, key: string): string | undefined {
  this.served ??= new Map();
  if (this.served.has(key)) return this.served.get(key);
  const feature = this.features.get(key);
  if (feature === undefined || this.depth >= MAX_CHAIN) return undefined;
  // Noted before it is known: a feature that leads back to itself finds itself missing.
  this.served.set(key, undefined);
  const variant = this.decide(feature, { ...this, explain: false, depth: this.depth + 1 }) ?? undefined;
  this.served.set(key, variant);
  return variant;
}
