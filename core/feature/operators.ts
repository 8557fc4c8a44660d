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

/** Every operator; each is strict and total: a wrong type or a missing attribute is no match, never a throw. */
export type OperatorName = keyof typeof families;
export const OperatorName = z.enum(Object.keys(families) as [OperatorName, ...OperatorName[]]);

export const OPERATORS: Readonly<Record<OperatorName, Operator>> = families;
