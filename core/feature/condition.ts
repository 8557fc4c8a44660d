import type { Gate } from "../bucketing/split.ts";
import type { Json } from "../json.ts";
import type { OperatorName } from "./operators.ts";

/**
 * A question about a user, answered yes or no. `attribute` is a JSON pointer into the user object
 * (`/plan`, `/company/size`, `/user_id`). `feature` asks what another feature serves this user (a prerequisite).
 * `gate` is a percentage of users.
 */
export type Condition =
  | boolean
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly segment: string }
  | { readonly feature: string; readonly variant?: readonly string[] | undefined }
  | { readonly gate: Gate }
  | { readonly attribute: string; readonly op: OperatorName; readonly value?: Json | undefined };

/** How deep conditions may nest, and how many of them one tree may hold. */
export const MAX_DEPTH = 10;
export const MAX_CONDITIONS = 1000;
