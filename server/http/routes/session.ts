import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import type { AccessControl } from "../access.ts";
import { check, readJson } from "../body.ts";
import { refuseOtherSites } from "../page-origin.ts";
import { type App, failures, header, json, on } from "../route.ts";
import { endSession, setSession } from "../session-cookie.ts";
import { tokenVerifier } from "../token.ts";
import { exchange, requireAuth, TokenRequest } from "./auth.ts";

const SessionRequest = TokenRequest.partial({ issuer_key: true })
  .extend({ access_token: z.string().optional().describe("A bearer token, instead of the issuer key") })
  .refine(({ issuer_key, access_token }) => (issuer_key === undefined) !== (access_token === undefined), {
    path: ["issuer_key"],
    message: "Takes exactly one of `issuer_key` and `access_token`",
  })
  .meta({ id: "SessionRequest" });

const Session = z
  .object({
    auth: z.boolean().describe("False: no call needs a token, and there are no sessions"),
    actor: z.string().describe("Whom changes name as their author"),
    environment: z.string().nullable().describe("The only environment it opens; null: any"),
  })
  .meta({ id: "Session" });
export type SessionAnswer = z.infer<typeof Session>;

const sessionRequest = { issuer_key: "correct horse battery", subject: "ada" };
const session = { auth: true, actor: "ada", environment: null };
const SET_COOKIE = "flags_session=eyJhbGciOiJIUzI1NiJ9...; Path=/; HttpOnly; SameSite=Lax";

const tags = ["access"];
const create = createRoute({
  method: "post",
  path: "/session",
  operationId: "createSession",
  tags,
  summary: "Sign a browser in",
  description:
    "Sets an HttpOnly, SameSite=Lax cookie that holds a token. With it, reads need no header, and writes are accepted from this server's own pages only (Sec-Fetch-Site, else Origin).",
  request: {
    body: {
      ...json(SessionRequest, "The issuer key or a token, and what the session shall say", sessionRequest),
      required: true,
    },
  },
  responses: {
    200: { ...json(Session, "Signed in", session), headers: { "Set-Cookie": header("The session", SET_COOKIE) } },
    ...failures(401, 403, 409),
  },
  security: [],
});
const read = createRoute({
  method: "get",
  path: "/session",
  operationId: "getSession",
  tags,
  summary: "Who asks, by cookie or token",
  responses: { 200: json(Session, "Whoever asks", session) },
});
const remove = createRoute({
  method: "delete",
  path: "/session",
  operationId: "deleteSession",
  tags,
  summary: "Sign the browser out",
  description: "The cookie is gone; a token that was copied elsewhere holds until it expires.",
  responses: {
    204: {
      description: "Signed out, also when nobody was signed in",
      headers: { "Set-Cookie": header("The end of the session", "flags_session=; Max-Age=0; Path=/") },
    },
    ...failures(403),
  },
  security: [],
});

export function sessionRoutes(app: App, services: Pick<Services, "config" | "clock">, access: AccessControl): void {
  const { config, clock } = services;
  const verify = tokenVerifier(config.AUTH_JWT_SECRET ?? "", clock);

  on(app, create, async (c) => {
    refuseOtherSites(c);
    requireAuth(config);
    const { access_token, issuer_key = "", ...asked } = check(SessionRequest, await readJson(c));
    const token = access_token ?? (await exchange(services, { issuer_key, ...asked })).token;
    const { subject, environment = null } = await verify(token);
    setSession(c, token);
    return c.json({ auth: true, actor: subject, environment } satisfies SessionAnswer);
  });

  on(app, read, async (c) => {
    const { actor, environment, pinned } = await access.of(c);
    return c.json({
      ...{ auth: config.AUTH_ENABLED, actor, environment: pinned ? environment : null },
    } satisfies SessionAnswer);
  });

  on(app, remove, (c) => {
    refuseOtherSites(c);
    endSession(c);
    return c.body(null, 204);
  });
}
