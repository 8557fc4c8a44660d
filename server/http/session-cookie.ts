import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { crossSite, isOwnPage, isWrite } from "./page-origin.ts";
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
  if (token !== undefined && isWrite(c) && !isOwnPage(c)) throw crossSite();
  return token;
}
