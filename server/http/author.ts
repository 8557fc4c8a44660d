import type { Author } from "../../core/ports.ts";
import type { RouteContext } from "./route.ts";

/** Who writes (the token's subject, else `X-Actor`) and why (`X-Reason`, at most 500 characters). */
export function authorOf(c: RouteContext): Author {
  return { actor: c.get("actor"), reason: c.req.header("x-reason")?.slice(0, 500) };
}
