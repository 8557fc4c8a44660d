import type { Services } from "../services.ts";
import { databaseUnavailable, HttpError } from "./errors.ts";
import { refuseStrangePages } from "./page-origin.ts";
import { headerOf, type RouteContext } from "./route.ts";
import { sessionToken } from "./session-cookie.ts";
import { type Token, tokenVerifier } from "./token.ts";

/** Who asks, and in which environment. */
export interface Access {
  readonly environment: string;
  readonly actor: string;
  /** True when the token opens no other environment. */
  readonly pinned: boolean;
}

export interface AccessControl {
  /**
   * Synchronous when the token was seen before and the environment is loaded, else a promise.
   *
   * @throws HttpError 401 without a valid token, 403 when the token is for another environment or a write that no token of the
   * caller's own stands for came from another site, 404 `unknown_environment`
   */
  of(c: RouteContext): Access | Promise<Access>;
  /** True for the paths that need no token and belong to no environment; what needs one after all asks `of` itself. */
  isOpen(path: string): boolean;
}

const DEFAULT_ENVIRONMENT = "production";
const OPEN = new Set([
  "/",
  "/app",
  "/health",
  "/health/live",
  "/health/ready",
  "/auth/token",
  "/session",
  "/docs",
  "/openapi.json",
]);
/** The pages and what they are made of; and event streams, whose signed address is what opens them (ofrep/stream-address.ts). */
const OPEN_BELOW = ["/app/", "/assets/", "/docs/", "/ofrep/v1/streams/"];

export function accessControl(
  services: Pick<Services, "config" | "clock" | "snapshots" | "configuration">,
): AccessControl {
  const { config, snapshots } = services;
  const origins = new Set(config.CORS_ALLOWED_ORIGINS);
  const verify = config.AUTH_ENABLED ? tokenVerifier(config.AUTH_JWT_SECRET ?? "", services.clock) : undefined;

  function enter(c: RouteContext, token: Token | undefined): Access | Promise<Access> {
    const asked = headerOf(c, "x-environment");
    const environment = token?.environment ?? asked ?? DEFAULT_ENVIRONMENT;
    if (asked !== undefined && asked !== environment)
      throw new HttpError(
        403,
        "wrong_environment",
        `X-Environment asks for "${asked}", but this token only opens "${environment}"`,
      );
    const actor = token?.subject ?? headerOf(c, "x-actor")?.slice(0, 200) ?? "anonymous";
    const access = { environment, actor, pinned: token?.environment !== undefined };
    return snapshots.get(environment) === undefined ? afterLoading(access) : access;
  }

  /** Another server may have made the environment a moment ago. */
  async function afterLoading(access: Access): Promise<Access> {
    if (snapshots.stale) throw databaseUnavailable();
    const stored = await snapshots.unlessLost(services.configuration.environments());
    const known = stored.map(({ key }) => key);
    if (!known.includes(access.environment))
      throw new HttpError(
        404,
        "unknown_environment",
        `There is no environment "${access.environment}"; there are ${known.join(", ")}`,
      );
    await snapshots.refresh(access.environment);
    return access;
  }

  return {
    of(c) {
      if (verify === undefined) {
        refuseStrangePages(c, origins);
        return enter(c, undefined);
      }
      const token = verify(tokenOf(c));
      return token instanceof Promise ? token.then((verified) => enter(c, verified)) : enter(c, token);
    },
    isOpen: (path) => OPEN.has(path) || OPEN_BELOW.some((prefix) => path.startsWith(prefix)),
  };
}

/** OFREP's clients may send the token as `X-API-Key` instead, and browsers as a cookie. */
function tokenOf(c: RouteContext): string {
  const header = headerOf(c, "authorization");
  const token =
    header === undefined ? (headerOf(c, "x-api-key") ?? sessionToken(c)) : /^Bearer +([\w.~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined)
    throw new HttpError(
      401,
      "no_token",
      "This call needs the header `Authorization: Bearer <token>`; POST /auth/token gives one",
      { headers: { "WWW-Authenticate": "Bearer" } },
    );
  return token;
}
