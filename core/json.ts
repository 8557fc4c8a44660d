import { z } from "zod";

/** Any JSON value. A variant's value and a user's attribute are of this type. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** As `z.json()`, but with a name in JSON Schema. */
export const Json: z.ZodType<Json> = z
  .lazy(() => z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(Json), z.record(z.string(), Json)]))
  .meta({ id: "Json", description: "Any JSON value" });
