import { Invalid } from "../ports.ts";
import { type Condition, noOperator } from "./condition.ts";
import { findOperator } from "./operators.ts";

/**
 * Throws Invalid when a condition that is written uses an operator that is not known here. The schema lets those of plugins
 * pass, because what is stored must be readable when a plugin is gone.
 *
 * @param field where the condition stands, a JSON pointer into the write
 */
export function checkOperators(condition: Condition, field: string): void {
  if (typeof condition === "boolean") return;
  if ("all" in condition)
    for (const [index, child] of condition.all.entries()) checkOperators(child, `${field}/all/${index}`);
  else if ("any" in condition)
    for (const [index, child] of condition.any.entries()) checkOperators(child, `${field}/any/${index}`);
  else if ("not" in condition) checkOperators(condition.not, `${field}/not`);
  else if ("op" in condition && findOperator(condition.op) === undefined)
    throw new Invalid("unknown_operator", noOperator(condition.op), `${field}/op`);
}
