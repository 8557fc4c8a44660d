import type { Json } from "../../core/json.ts";
import type { User } from "../../core/strategy.ts";
import { type Details, detailsOf, failedDetails, type Widened } from "./details.ts";
import type { Evaluated, Evaluator } from "./evaluator.ts";

/** Reads that never throw and never reject: on any failure the caller's default is the answer, and `details` say why. */
export interface SafeReads {
  value<Value extends Json>(feature_key: string, user: User, byDefault: Value): Promise<Widened<Value>>;
  /** Whether the variant served is another than the feature's off variant, whatever its type. Default: false. */
  enabled(feature_key: string, user: User, byDefault?: boolean): Promise<boolean>;
  details<Value extends Json>(feature_key: string, user: User, byDefault: Value): Promise<Details<Widened<Value>>>;
  /** Several features at once: `values(user, { "new-checkout": false, "page-size": 20 })`. */
  values<Defaults extends Readonly<Record<string, Json>>>(
    user: User,
    defaults: Defaults,
  ): Promise<{ [Key in keyof Defaults]: Widened<Defaults[Key]> }>;
  /** In the order of the defaults. */
  allDetails(user: User, defaults: Readonly<Record<string, Json>>): Promise<readonly Details<Json>[]>;
}

export function safeReads(evaluator: Pick<Evaluator, "evaluate" | "evaluateMany">): SafeReads {
  async function details<Value extends Json>(feature_key: string, user: User, byDefault: Value) {
    try {
      return detailsOf(await evaluator.evaluate(feature_key, user), byDefault);
    } catch (error) {
      return failedDetails(feature_key, byDefault, error);
    }
  }

  async function allDetails(user: User, defaults: Readonly<Record<string, Json>>): Promise<readonly Details<Json>[]> {
    const wanted = Object.entries(defaults);
    if (evaluator.evaluateMany === undefined || user.user_id === undefined)
      return Promise.all(wanted.map(([feature_key, byDefault]) => details(feature_key, user, byDefault)));
    try {
      const keys = wanted.map(([feature_key]) => feature_key);
      const decisions = await evaluator.evaluateMany(keys, user);
      return wanted.map(([feature_key, byDefault], at) => answered(feature_key, byDefault, decisions[at]));
    } catch (error) {
      return wanted.map(([feature_key, byDefault]) => failedDetails(feature_key, byDefault, error));
    }
  }

  return {
    details,
    allDetails,
    value: async (feature_key, user, byDefault) => (await details(feature_key, user, byDefault)).value,
    async enabled(feature_key, user, byDefault = false) {
      const { error_code, decision } = await details(feature_key, user, null);
      return error_code === undefined ? (decision?.enabled ?? byDefault) : byDefault;
    },
    async values<Defaults extends Readonly<Record<string, Json>>>(user: User, defaults: Defaults) {
      const found = (await allDetails(user, defaults)).map(({ feature_key, value }) => [feature_key, value]);
      return Object.fromEntries(found) as { [Key in keyof Defaults]: Widened<Defaults[Key]> };
    },
  };
}

function answered<Value extends Json>(feature_key: string, byDefault: Value, decision: Evaluated | undefined) {
  if (decision?.feature_key === feature_key) return detailsOf(decision, byDefault);
  return failedDetails(feature_key, byDefault, new Error(`The server's answer does not tell of "${feature_key}"`));
}
