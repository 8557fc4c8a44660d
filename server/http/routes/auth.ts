import { createHash, timingSafeEqual } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
import { type App, failures, json, on } from "../route.ts";
import { issueToken } from "../token.ts";

const TokenRequest = z
  .object({
    issuer_key: z.string().describe("The setting AUTH_ISSUER_KEY"),
    subject: z.string().trim().min(1).max(200).default("client").describe("Whom the token names as author of changes"),
    expires_minutes: z.int().min(1).max(525_600).optional().describe("Default: AUTH_TOKEN_EXPIRE_MINUTES"),
    environment: z.string().min(1).max(50).optional().describe("The only environment the token opens; default: any"),
  })
  .meta({ id: "TokenRequest" });

const TokenAnswer = z
  .object({
    access_token: z.string(),
    token_type: z.literal("bearer"),
    expires_in: z.int().describe("Seconds"),
  })
  .meta({ id: "Token" });

const route = createRoute({
  method: "post",
  path: "/auth/token",
  tags: ["access"],
  summary: "Exchange the issuer key for a bearer token",
  request: { body: { ...json(TokenRequest, "The key and what the token shall say"), required: true } },
  responses: { 200: json(TokenAnswer, "A token"), ...failures(400, 401, 409) },
});

export function authRoutes(app: App, { config, clock }: Pick<Services, "config" | "clock">): void {
  on(app, route, async (c) => {
    if (!config.AUTH_ENABLED)
      throw new HttpError(
        409,
        "auth_off",
        "Authentication is off: no call needs a token. AUTH_ENABLED=true turns it on",
      );
    const asked = check(TokenRequest, await readJson(c));
    if (!sameSecret(asked.issuer_key, config.AUTH_ISSUER_KEY ?? ""))
      throw new HttpError(401, "wrong_issuer_key", "The issuer_key is not this server's AUTH_ISSUER_KEY", {
        headers: { "WWW-Authenticate": "Bearer" },
      });
    const seconds = (asked.expires_minutes ?? config.AUTH_TOKEN_EXPIRE_MINUTES) * 60;
    const now = clock.now();
    const token = { subject: asked.subject, environment: asked.environment, expires: now + seconds * 1000 };
    return c.json({
      access_token: await issueToken(config.AUTH_JWT_SECRET ?? "", token, now),
      token_type: "bearer",
      expires_in: seconds,
    });
  });
}

/** Takes the same time wherever the texts differ, and whatever their lengths. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return expected !== "" && timingSafeEqual(digest(given), digest(expected));
}
