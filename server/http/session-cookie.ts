import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { HttpError } from "./errors.ts";
import { headerOf, type RouteContext } from "./route.ts";

/** Holds a bearer token where scripts cannot read it. */
export const SESSION_COOKIE = "flags_session";

/**
 * Until the browser ends: the token in it says itself when it expires, so that an expired session can be told from none.
 * `Secure` where the page came by https, which its Origin knows even behind a proxy.
 */
export function setSession(c: RouteContext, token: string): void {
  const secure = (headerOf(c, "origin") ?? c.req.url).startsWith("https:");
  setCookie(c, SESSION_COOKIE, token, { path: "/", httpOnly: true, sameSite: "Lax", secure });
}

export function endSession(c: RouteContext): void {
  deleteCookie(c, SESSION_COOKIE, { path: "/" });
}

/** The token of the session; undefined without one. @throws HttpError 403 for a write that another site may have made */
export function sessionToken(c: RouteContext): string | undefined {
  const cookies = headerOf(c, "cookie");
  if (cookies === undefined) return undefined;
  const token = getCookie(c, SESSION_COOKIE);
  if (token !== undefined && !READS.has(c.req.method) && !isOwnPage(c)) throw crossSite();
  return token;
}

/** Refuses what a browser sends from another site's page; programs send neither header. @throws HttpError 403 */
export function refuseOtherSites(c: RouteContext): void {
  const told = headerOf(c, "sec-fetch-site") ?? headerOf(c, "origin");
  if (told !== undefined && !isOwnPage(c)) throw crossSite();
}

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Sec-Fetch-Site holds behind any proxy; browsers send it over https and from localhost, and Origin everywhere. */
function isOwnPage(c: RouteContext): boolean {
  const site = headerOf(c, "sec-fetch-site");
  return site === undefined ? headerOf(c, "origin") === new URL(c.req.url).origin : site === "same-origin";
}

function crossSite(): HttpError {
  return new HttpError(
    403,
    "cross_site",
    "A session's cookie only makes changes from this server's own pages, and this request came from elsewhere; programs send `Authorization: Bearer <token>`",
  );
}
