/**
 * The plugin contract. A plugin is a module with one named export, `strategy`. It fits on this screen.
 *
 * - A strategy is pure: same ask, same verdict; no clock, no randomness, no I/O in `prepare`'s evaluator unless it
 *   returns a promise, which races the step's budget.
 * - It may throw, hang or answer nonsense: the engine contains it, names the cause and lets the next step decide.
 */
import type { z } from "zod";
import type { CompiledSplit } from "./bucketing/compile-split.ts";
import type { ConditionTrace, FallbackCause, Reason } from "./decision/decision.ts";
import type { Profile } from "./event/profile.ts";
import type { Condition } from "./feature/condition.ts";
import type { CompleteObjective } from "./feature/objective.ts";
import type { Json } from "./json.ts";
import type { Model } from "./model/model.ts";

/** Who is asked about: `user_id` and any attributes. */
export interface User {
  readonly user_id?: string;
  readonly [attribute: string]: Json | undefined;
}

export interface Strategy<Config = unknown> {
  /** Unique, kebab-case; what a step names in `strategy`. */
  readonly id: string;
  readonly contract: 1;
  /** One sentence for the docs and the form. */
  readonly summary: string;
  /** What decisions of this strategy carry as `decision_source`. Default: the id. */
  readonly source?: string;
  /** Checks a step's config on write; also its JSON Schema in the docs. Must fill its own defaults. */
  readonly config: z.ZodType<Config>;
  /**
   * True when the evaluator is synchronous, quick by construction and never writes to its ask: the engine then skips the
   * stopwatch and copies neither ask nor verdict. Default false.
   */
  readonly bounded?: boolean;
  /** Fills what depends on the feature (seeds, bucket ranges). `previous` is the same step's stored config. Default: as is. */
  complete?(config: Config, about: { feature_key: string; step_id: string; first: boolean; previous?: Config }): Config;
  /** Variants this config may serve; each must be declared by the feature. Default: none. */
  variants?(config: Config): readonly string[];
  /** Conditions held in this config, so that segments and prerequisites are checked on write. Default: none. */
  conditions?(config: Config): readonly Condition[];
  /** JSON pointers of the attributes the evaluator reads. Default: unknown. */
  reads?(config: Config): readonly string[];
  /** True when the evaluator wants `ask.profile`. Default false. */
  readonly profile?: boolean;
  /** True when it decides with models trained from exposures, which then store the raw feature row. Default: `profile`. */
  readonly learns?: boolean;
  /** Called once per feature version (and per live model); returns the evaluator the engine calls. */
  prepare(config: Config, host: Host): Evaluator;
  dispose?(): void | Promise<void>;
}

export interface Evaluator {
  (ask: Ask): Verdict | Promise<Verdict>;
  /**
   * What a user like this one may get, over all draws of the evaluator's own hashes. Where exposures take their
   * propensities from, so those who draw must have it. Default: the verdict is certain.
   */
  distribution?(ask: Ask): Distribution;
  /** Set when it decides by a split and nothing else: the engine may then place users itself. Default: it is always asked. */
  split?: DecidingSplit;
}

export interface DecidingSplit {
  readonly split: CompiledSplit;
  /** What it answers for each arm of the split, but for the bucket; null: it abstains with no_match. */
  readonly verdicts: readonly (Pick<Decide, "variant" | "source" | "reason" | "probability"> | null)[];
}

export interface Distribution {
  /** By variant; what is missing to 1 abstains. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Why the rest abstains. Default no_match. */
  readonly abstain?: Abstain["abstain"];
}

/** What a strategy may know while it prepares. */
export interface Host {
  readonly feature: {
    readonly key: string;
    readonly type: "boolean" | "string" | "number" | "object";
    readonly variants: readonly string[];
    readonly off_variant: string;
    readonly fallback_variant: string;
  };
  /** null: the feature has none, so nobody is held out and nothing is explored. */
  readonly objective: CompleteObjective | null;
  /** The live model of the feature, else of the environment's global default; undefined when there is none. */
  readonly model: Model | undefined;
  /** A newer model that takes over a share (its `traffic`) of the model's users, step by step. */
  readonly challenger: Model | undefined;
  /** Compiles a condition with the environment's segments. */
  condition(condition: Condition): CompiledCondition;
}

export interface CompiledCondition {
  test(ask: Ask): boolean;
  explain(ask: Ask): ConditionTrace;
  /** Why it is no match whatever the ask: it needs an operator whose plugin is gone. Left out when all is there. */
  readonly gone?: string;
}

/** One question to a strategy. Read only. */
export interface Ask {
  readonly user: User;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** True when the answer's trace is wanted: then verdicts should carry `evidence`. */
  readonly explain: boolean;
  /** The user's event aggregates, when the strategy asked for them and they could be read in time. */
  readonly profile: Profile | undefined;
  /**
   * The variant another feature serves this user; undefined when there is no such feature. Call it on the ask. Inside, a
   * step that answers with a promise cannot be waited for: it fails with the cause `timeout` and its next step decides.
   */
  variantOf(featureKey: string): string | undefined;
}

/** Decide (a declared variant) or abstain (no_match: not mine to decide; a fallback cause: should have, could not). */
export type Verdict = Decide | Abstain;

interface Evidence {
  readonly score?: number | undefined;
  readonly threshold?: number | undefined;
  readonly threshold_mode?: string | undefined;
  readonly confidence?: number | undefined;
  readonly probability?: number | undefined;
  readonly model_version?: string | undefined;
  readonly bucket?: number | undefined;
  /** For the trace; only read when `ask.explain`. */
  readonly evidence?: Json;
  readonly detail?: string | undefined;
}

export interface Decide extends Evidence {
  readonly variant: string;
  /** Default TARGETING_MATCH. */
  readonly reason?: Reason;
  /** What the decision carries as `decision_source`. Default: the strategy's. */
  readonly source?: string;
}

export interface Abstain extends Evidence {
  readonly abstain: "no_match" | FallbackCause;
}
