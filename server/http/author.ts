import { z } from "@hono/zod-openapi";
import type { Author } from "../../core/ports.ts";
import type { RouteContext } from "./route.ts";

/** For the `request.headers` of a route that keeps who wrote. */
export const AuthorHeaders = z.object({
  "X-Actor": z
    .string()
    .optional()
    .meta({ description: "Who writes; a token's subject comes first. Default: anonymous", examples: ["ada"] }),
  "X-Reason": z
    .string()
    .optional()
    .meta({ description: "Why; at most 500 characters are kept", examples: ["More users"] }),
});

/** Who writes (the token's subject, else `X-Actor`) and why (`X-Reason`, at most 500 characters). */
export function authorOf(c: RouteContext): Author {
  return { actor: c.get("actor"), reason: c.req.header("x-reason")?.slice(0, 500) };
}
