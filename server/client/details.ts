import type { Json } from "../../core/json.ts";
import { ApiError } from "./api-error.ts";
import type { Evaluated } from "./evaluator.ts";

/** OpenFeature's codes, as far as a read can fail. */
export type ErrorCode =
  | "PROVIDER_NOT_READY"
  | "FLAG_NOT_FOUND"
  | "TYPE_MISMATCH"
  | "TARGETING_KEY_MISSING"
  | "INVALID_CONTEXT"
  | "PARSE_ERROR"
  | "GENERAL";

/** What a read found. With an `error_code` the value is the caller's own default. */
export interface Details<Value> {
  readonly feature_key: string;
  readonly value: Value;
  /** null: no variant is served, and the value is the caller's default. */
  readonly variant: string | null;
  readonly reason: Evaluated["reason"];
  readonly error_code?: ErrorCode;
  /** What was tried and what was found. */
  readonly error_message?: string;
  /** null: there was none. */
  readonly decision: Evaluated | null;
}

/** The type of a literal default: `false` asks for any boolean. */
export type Widened<Value> = Value extends boolean
  ? boolean
  : Value extends number
    ? number
    : Value extends string
      ? string
      : Value;

/**
 * A decision read as the type of the default. Objects and lists count as one type, whatever is in them, and the default null
 * takes any value.
 */
export function detailsOf<Value extends Json>(decision: Evaluated, byDefault: Value): Details<Widened<Value>> {
  const { feature_key, variant, value, reason } = decision;
  const failed = (code: ErrorCode, message: string) => failure(feature_key, byDefault, { code, message, decision });
  if (decision.decision_source === "feature_not_found")
    return failed("FLAG_NOT_FOUND", `There is no feature "${feature_key}" in the environment that was asked`);
  if (reason === "ERROR") return failed("GENERAL", `"${feature_key}" could not be decided`);
  if (variant === null) return { feature_key, value: byDefault as Widened<Value>, variant, reason, decision };
  if (byDefault !== null && typeof value !== typeof byDefault)
    return failed("TYPE_MISMATCH", `"${feature_key}" is of the type ${typeof value}, not ${typeof byDefault}`);
  return { feature_key, value: value as Widened<Value>, variant, reason, decision };
}

/** What is read when nothing could be decided. `error`: whatever was thrown. */
export function failedDetails<Value extends Json>(
  feature_key: string,
  byDefault: Value,
  error: unknown,
): Details<Widened<Value>> {
  const message = error instanceof Error ? error.message : String(error);
  return failure(feature_key, byDefault, { code: codeOf(error), message, decision: null });
}

function failure<Value extends Json>(
  feature_key: string,
  byDefault: Value,
  { code, message, decision }: { code: ErrorCode; message: string; decision: Evaluated | null },
): Details<Widened<Value>> {
  const value = byDefault as Widened<Value>;
  return { feature_key, value, variant: null, reason: "ERROR", error_code: code, error_message: message, decision };
}

/** Below /ofrep the server speaks OpenFeature itself. */
const SPOKEN: ReadonlySet<string> = new Set<ErrorCode>([
  "FLAG_NOT_FOUND",
  "TARGETING_KEY_MISSING",
  "INVALID_CONTEXT",
  "PARSE_ERROR",
]);

function codeOf(error: unknown): ErrorCode {
  if (!(error instanceof ApiError)) return "GENERAL";
  if (SPOKEN.has(error.code)) return error.code as ErrorCode;
  if (error.code === "starting") return "PROVIDER_NOT_READY";
  return error.code === "body_too_large" || error.field?.split(".")[0] === "user" ? "INVALID_CONTEXT" : "GENERAL";
}
