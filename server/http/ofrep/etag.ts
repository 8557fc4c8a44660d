import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { header } from "../route.ts";

/** For a route's `request.headers`. */
export const IfNoneMatch = z.object({
  "If-None-Match": z
    .string()
    .optional()
    .describe("ETag of the answer that is at hand: 304 while it is the present one"),
});

/** Headers of an answer that carries a tag of its content. */
export const TAGGED = {
  ETag: header("Of the content, for If-None-Match", '"PHCYrJ1aBSEXjlWJ3xGvzO6nXJcUoTqsE0MaD5kFOEs"'),
};

/** A strong entity tag of everything an answer is made from; equal on every server. */
export function etagOf(parts: readonly unknown[]): string {
  return `"${createHash("sha256").update(JSON.stringify(parts)).digest("base64url")}"`;
}

/** Whether `If-None-Match` lists this tag; compared weakly, as RFC 9110 has it. `*` is no tag a client has an answer to. */
export function listsEtag(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((one) => one.trim().replace(/^W\//, "") === etag) ?? false;
}

/** Names a revision of what an environment serves. Event streams tell it, and clients bring it back as `flagConfigEtag`. */
export function configurationEtag(environment: string, revision: number): string {
  return `"${environment}.${revision}"`;
}

/** The revision a `flagConfigEtag` names; undefined when it is none of this environment. */
export function revisionIn(etag: string | undefined, environment: string): number | undefined {
  const [, key, revision] = /^"?([a-z0-9_-]+)\.(\d{1,15})"?$/.exec(etag ?? "") ?? [];
  return key === environment ? Number(revision) : undefined;
}
