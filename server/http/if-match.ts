import { z } from "@hono/zod-openapi";
import { HttpError } from "./errors.ts";
import { header, type RouteContext } from "./route.ts";

/** For a route's `request.headers`. */
export const IfMatch = z.object({
  "If-Match": z
    .string()
    .optional()
    .meta({
      description: "The version that was read. Another one is stored: 412",
      pattern: '^(\\*|(W/)?"[0-9]{1,9}"|[0-9]{1,9})$',
      examples: ['"2"'],
    }),
});

/** Headers of an answer that carries a version. */
export const VERSIONED = { ETag: header("The version, for If-Match", '"2"') };

/**
 * The version the writer saw: `If-Match: "3"` or `3`. undefined without the header, and for `*`.
 *
 * @throws HttpError 422 for anything else
 */
export function expectedVersion(c: RouteContext): number | undefined {
  const header = c.req.header("if-match")?.trim();
  if (header === undefined || header === "*") return undefined;
  const version = /^(?:W\/)?("?)(\d{1,9})\1$/.exec(header)?.[2];
  if (version !== undefined) return Number(version);
  throw new HttpError(
    422,
    "validation_error",
    `If-Match is ${header}; it takes the version the answer carried as its ETag, such as "3"`,
    { field: "If-Match" },
  );
}

export const etag = (version: number) => ({ ETag: `"${version}"` });
