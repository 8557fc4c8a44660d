import { z } from "zod";
import type { Json } from "../json.ts";
import type { Condition } from "./condition.ts";
import type { Objective } from "./objective.ts";

export const FeatureType = z.enum(["boolean", "string", "number", "object"]);
export type FeatureType = z.infer<typeof FeatureType>;

/** A strategy bound to a feature. Steps are tried in order; the first that decides wins. */
export interface Step {
  readonly id: string;
  /** Id of a registered strategy: hash-bucketing, rule-filters, ml-model or a plugin's. */
  readonly strategy: string;
  /** The step is skipped unless this holds. Default: always. */
  readonly when?: Condition | undefined;
  /** The strategy's own config, parsed and completed by it. */
  readonly config: Json;
  /** After a failure: ask the next step, or go straight to the fallback variant. */
  readonly on_failure: "next" | "fallback";
  /** Milliseconds the step may take. Default 50. */
  readonly budget_ms?: number | undefined;
}

export interface Feature {
  readonly id: number;
  readonly environment: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly type: FeatureType;
  readonly variants: Readonly<Record<string, Json>>;
  readonly enabled: boolean;
  /** Served when the feature is disabled. */
  readonly off_variant: string;
  readonly steps: readonly Step[];
  /** Served when no step decided. */
  readonly fallback_variant: string;
  readonly objective: Objective | null;
  readonly tags: readonly string[];
  readonly owner: string | null;
  readonly expires_at: string | null;
  /** Counts writes, from 1. `If-Match` compares it. */
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The part of a feature its owner writes; the rest is given by the store. */
export type FeatureDefinition = Omit<Feature, "id" | "environment" | "version" | "created_at" | "updated_at">;
