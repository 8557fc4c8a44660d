import { createHash } from "node:crypto";

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
