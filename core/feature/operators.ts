import { z } from "zod";
import { address } from "./operators/address.ts";
import { date } from "./operators/date.ts";
import { equality } from "./operators/equality.ts";
import { number } from "./operators/number.ts";
import type { Operator } from "./operators/operator.ts";
import { presence } from "./operators/presence.ts";
import { set } from "./operators/set.ts";
import { text } from "./operators/text.ts";
import { version } from "./operators/version.ts";

const families = {
  ...equality,
  ...text,
  ...number,
  ...date,
  ...version,
  ...address,
  ...set,
  ...presence,
};

/** The operators every server has; each is strict and total: a wrong type or a missing attribute is no match, never a throw. */
export type OperatorName = keyof typeof families;
export const OperatorName = z.enum(Object.keys(families) as [OperatorName, ...OperatorName[]]);

export const OPERATORS: Readonly<Record<OperatorName, Operator>> = families;

/** What a plugin may call its operator: what it asks, and the version of exactly how, since conditions store it. */
export const PLUGGED_NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*_v[1-9][0-9]*$/;

let plugged: ReadonlyMap<string, Operator> = new Map();

/** Replaces the operators that plugins brought: one set per process, as conditions are checked in many places. */
export function plugOperators(operators: ReadonlyMap<string, Operator>): void {
  plugged = new Map(operators);
}

export function findOperator(name: string): Operator | undefined {
  return Object.hasOwn(OPERATORS, name) ? OPERATORS[name as OperatorName] : plugged.get(name);
}

/** Every operator known here. */
export function operatorNames(): readonly string[] {
  return [...OperatorName.options, ...plugged.keys()];
}
