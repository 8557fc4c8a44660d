import { z } from "@hono/zod-openapi";
import type { User } from "../../core/strategy.ts";

/** How deep attributes may nest below the user object. */
export const MAX_ATTRIBUTE_DEPTH = 10;
const MAX_ID_LENGTH = 200;

/** The same questions as `isAskedUser`, for the document and to explain what was refused. */
export const AskedUser = z
  .looseObject({ user_id: z.string().min(1).max(MAX_ID_LENGTH) })
  .superRefine((user, context) => {
    const found = misfit(user, []);
    if (found !== undefined) context.addIssue({ code: "custom", ...found });
  })
  .meta({ id: "User", description: "Who is asked about: user_id and any attributes, nested at most 10 deep" });

/** A user_id, and attributes that are finite and not too deep. By hand: this is on the way of every decision. */
export function isAskedUser(user: unknown): user is User & { user_id: string } {
  if (typeof user !== "object" || user === null || Array.isArray(user)) return false;
  const id = (user as User).user_id;
  return typeof id === "string" && id !== "" && id.length <= MAX_ID_LENGTH && isPlain(user, 0);
}

function isPlain(object: object, depth: number): boolean {
  for (const name in object) {
    const value = (object as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "number") {
      if (!Number.isFinite(value)) return false; // 1e999 is JSON, and Infinity once parsed
    } else if (typeof value === "object" && value !== null) {
      if (depth === MAX_ATTRIBUTE_DEPTH || !isPlain(value, depth + 1)) return false;
    }
  }
  return true;
}

function misfit(object: object, path: string[]): { path: string[]; message: string } | undefined {
  for (const [name, value] of Object.entries(object)) {
    const here = [...path, name];
    if (typeof value === "number" && !Number.isFinite(value))
      return { path: here, message: "Is not a finite number (larger than 1.8e308 in the JSON)" };
    if (typeof value !== "object" || value === null) continue;
    if (path.length === MAX_ATTRIBUTE_DEPTH)
      return { path: here, message: `Attributes nest at most ${MAX_ATTRIBUTE_DEPTH} deep` };
    const found = misfit(value, here);
    if (found !== undefined) return found;
  }
  return undefined;
}
