import { z } from "zod";

/** Any JSON value. A variant's value and a user's attribute are of this type. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const Json: z.ZodType<Json> = z.json() as z.ZodType<Json>;
