import { HttpError } from "./errors.ts";
import { headerOf, type RouteContext } from "./route.ts";

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

export function isWrite(c: RouteContext): boolean {
  return !READS.has(c.req.method);
}

/** Sec-Fetch-Site holds behind any proxy; browsers send it over https and from localhost, and Origin everywhere. */
export function isOwnPage(c: RouteContext): boolean {
  const site = headerOf(c, "sec-fetch-site");
  return site === undefined ? headerOf(c, "origin") === new URL(c.req.url).origin : site === "same-origin";
}

/** Refuses what a browser sends from another site's page; programs send neither header. @throws HttpError 403 */
export function refuseOtherSites(c: RouteContext): void {
  const told = headerOf(c, "sec-fetch-site") ?? headerOf(c, "origin");
  if (told !== undefined && !isOwnPage(c)) throw crossSite();
}

export function crossSite(): HttpError {
  return new HttpError(
    403,
    "cross_site",
    "A session's cookie only makes changes from this server's own pages, and this request came from elsewhere; programs send `Authorization: Bearer <token>`",
  );
}

/**
 * Without authentication nothing but the page it comes from tells a stranger's request: any site that somebody visits can
 * have their browser post to this server, as plain text even without asking first.
 *
 * @param allowed origins of CORS_ALLOWED_ORIGINS
 * @throws HttpError 403
 */
export function refuseStrangePages(c: RouteContext, allowed: ReadonlySet<string>): void {
  const origin = headerOf(c, "origin");
  if (origin === undefined || allowed.has(origin) || allowed.has("*") || !isWrite(c) || isOwnPage(c)) return;
  throw new HttpError(
    403,
    "cross_site",
    `This server has no authentication, so pages of ${origin.slice(0, 200)} may not write to it: name that origin in CORS_ALLOWED_ORIGINS, or ask from a program`,
  );
}
