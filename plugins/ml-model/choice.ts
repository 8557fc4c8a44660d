import type { FallbackCause } from "../../core/decision/decision.ts";
import type { Json } from "../../core/json.ts";
import type { Ask } from "../../core/strategy.ts";

/** What a model makes of a user. One object, written over by the next call. */
export interface Choice {
  /** Why it does not decide; null when it does. */
  cause: FallbackCause | null;
  /** Index of the arm. */
  arm: number;
  score: number | undefined;
  threshold: number | undefined;
  confidence: number | undefined;
}

export interface Told {
  readonly detail: string;
  readonly evidence: Readonly<Record<string, Json>>;
}

/** How one mode chooses, once the model is known to be usable. */
export interface Chooser {
  readonly uses_profile: boolean;
  /** Writes the choice; its cause is null before. */
  choose(ask: Ask, choice: Choice): void;
  explain(ask: Ask, choice: Choice): Told;
}
