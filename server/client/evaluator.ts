import type { User } from "../../core/strategy.ts";
import type { DecisionAnswer } from "../http/decision-answer.ts";

/**
 * What decides for a caller: the server, asked over HTTP (`createClient`), or a snapshot of it in this process. Safe reads
 * (safe-reads.ts) and the OpenFeature provider (openfeature.ts) take either.
 */
export interface Evaluator {
  /**
   * Decides one feature for one user. An unknown feature is an answer (`decision_source: "feature_not_found"`, reason ERROR),
   * not an exception. Throws or rejects when nothing can be decided: the server is away, or refused (ApiError), or no snapshot
   * was ever loaded. Without `user.user_id`, features that need none are decided.
   */
  evaluate(feature_key: string, user: User): Evaluated | Promise<Evaluated>;
  /** Decides several features at once, in their order, for one user with a user_id. Default: `evaluate`, one by one. */
  evaluateMany?(feature_keys: readonly string[], user: User): Promise<readonly Evaluated[]>;
  /** Resolves when it can answer; rejects when it could not within its own time limit. It may still become able later. */
  ready(): Promise<void>;
  /** Key of the environment it decides for; undefined until it is known. */
  readonly environment: string | undefined;
  /** Calls back until the answer is called. A listener must not throw. */
  onChange(listener: (change: Change) => void): () => void;
  /** Ends streams, sends what waits to be sent, and resolves. */
  close(): Promise<void>;
}

/** The part of a decision that readers need; any DecisionAnswer is one. */
export type Evaluated = Pick<
  DecisionAnswer,
  "feature_key" | "user_id" | "variant" | "value" | "reason" | "decision_source" | "feature_version"
> &
  Partial<Pick<DecisionAnswer, "enabled" | "fallback" | "model_version" | "decision_id">>;

/**
 * - `changed`: decisions may differ from now on; `revision` counts the environment's changes.
 * - `stale`: changes are not heard of any more. An evaluator in this process goes on with what it last had.
 * - `fresh`: they are heard of again. What was missed has been told as `changed`, before or after.
 */
export type Change =
  | { readonly type: "changed"; readonly environment: string; readonly revision: number }
  | { readonly type: "stale"; readonly message: string }
  | { readonly type: "fresh" };
