import { HttpError } from "./errors.ts";
import type { RouteContext } from "./route.ts";

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
