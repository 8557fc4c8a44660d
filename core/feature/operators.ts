import { z } from "zod";

/** Every operator; each is strict and total: a wrong type or a missing attribute is no match, never a throw. */
export const OperatorName = z.enum(["equals", "in"]);
export type OperatorName = z.infer<typeof OperatorName>;
