import type { Operator, Present } from "../../core/feature/operators/operator.ts";
import { PLUGGED_NAME } from "../../core/feature/operators.ts";
import type { Json } from "../../core/json.ts";
import { type Check, check, shown } from "./check.ts";
import { freezeDeep } from "./freeze-deep.ts";
import { ODD_USERS } from "./odd-users.ts";

export interface OperatorSamples {
  /** Each with the `value` a condition gives it and an attribute that matches. At least one. */
  readonly matches: readonly { readonly value?: Json; readonly attribute: Present }[];
  /** ... and an attribute that does not. At least one. */
  readonly misses: readonly { readonly value?: Json; readonly attribute: Present }[];
  /** Values to be refused on write. Default: none. */
  readonly refused?: readonly Json[];
}

/** What every operator must hold: strict, total, and the same answer whenever it is asked. */
export function checkOperator(name: string, operator: Operator, samples: OperatorSamples): readonly Check[] {
  const { matches, misses, refused = [] } = samples;
  const all = [...matches, ...misses];
  return [
    check("is named with its version", () => {
      if (!PLUGGED_NAME.test(name)) throw new Error(`The name is "${name}", one as in within_radius_v1 is wanted`);
      if (matches.length === 0 || misses.length === 0) throw new Error("At least one match and one miss are wanted");
    }),
    check("matches what it should and nothing else", () => {
      for (const sample of matches) expect(operator, sample, true);
      for (const sample of misses) expect(operator, sample, false);
    }),
    check("answers about odd attributes instead of throwing", () => {
      for (const { value } of all) for (const attribute of ODD_ATTRIBUTES) ask(operator, value, attribute);
    }),
    check("gives the same answer again, in any order", () => {
      for (const { value } of all) {
        const [one, other] = [operator.compile(value), operator.compile(value)];
        const attributes = [...all.map(({ attribute }) => attribute), ...ODD_ATTRIBUTES];
        const forth = attributes.map((attribute) => one(attribute));
        const back = attributes.toReversed().map((attribute) => other(attribute));
        const at = forth.findIndex((answer, index) => answer !== back.at(-1 - index));
        if (at !== -1) throw new Error(`Asked about ${shown(attributes[at])} twice, the answers differ`);
      }
    }),
    check("refuses values it cannot use", () => {
      for (const value of refused)
        if (compiles(operator, value)) throw new Error(`It took the value ${shown(value)}, which is to be refused`);
    }),
  ];
}

const ODD_ATTRIBUTES: readonly Present[] = ODD_USERS.flatMap(
  (user) => Object.values(user).filter((value) => value !== undefined && value !== null) as Present[],
);

function expect(
  operator: Operator,
  { value, attribute }: { readonly value?: Json; readonly attribute: Present },
  wanted: boolean,
): void {
  const found = ask(operator, value, attribute);
  if (found !== wanted)
    throw new Error(
      `With the value ${shown(value)} it answers ${found} about ${shown(attribute)}, ${wanted} is wanted`,
    );
}

function ask(operator: Operator, value: Json | undefined, attribute: Present): boolean {
  const answer: unknown = operator.compile(value)(freezeDeep(structuredClone(attribute)));
  if (typeof answer === "boolean") return answer;
  throw new Error(`It answers ${shown(answer)} about ${shown(attribute)}, true or false is wanted`);
}

function compiles(operator: Operator, value: Json): boolean {
  try {
    operator.compile(value);
    return true;
  } catch {
    return false;
  }
}
