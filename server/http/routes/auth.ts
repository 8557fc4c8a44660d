import { createHash, timingSafeEqual } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Config } from "../../config.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
import { type App, failures, json, on } from "../route.ts";
import { issueToken } from "../token.ts";

/** What a token is given for, and what it shall say. */
export const TokenRequest = z
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

const tokenAnswer = {
  access_token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEiLCJleHAiOjE3OTUzNzkyNzF9.Zm9yIHRoZSBleGFtcGxlIG9ubHk",
  token_type: "bearer",
  expires_in: 3600,
};

export const route = createRoute({
  method: "post",
  path: "/auth/token",
  operationId: "createToken",
  tags: ["access"],
  summary: "Exchange the issuer key for a bearer token",
  request: {
    body: {
      ...json(TokenRequest, "The key and what the token shall say", {
        issuer_key: "correct horse battery",
        subject: "ada",
      }),
      required: true,
    },
  },
  responses: { 200: json(TokenAnswer, "A token", tokenAnswer), ...failures(400, 401, 409) },
  security: [],
});

export function authRoutes(app: App, services: Pick<Services, "config" | "clock">): void {
  on(app, route, async (c) => {
    requireAuth(services.config);
    const { token, seconds } = await exchange(services, check(TokenRequest, await readJson(c)));
    return c.json({ access_token: token, token_type: "bearer", expires_in: seconds });
  });
}

/** @throws HttpError 409 where nobody needs a token */
export function requireAuth({ AUTH_ENABLED }: Pick<Config, "AUTH_ENABLED">): void {
  if (!AUTH_ENABLED)
    throw new HttpError(409, "auth_off", "Authentication is off: no call needs a token. AUTH_ENABLED=true turns it on");
}

/** A token for the issuer key, and the seconds it holds. @throws HttpError 401 for another key */
export async function exchange(
  { config, clock }: Pick<Services, "config" | "clock">,
  { issuer_key, subject, environment, expires_minutes }: z.output<typeof TokenRequest>,
): Promise<{ readonly token: string; readonly seconds: number }> {
  if (!sameSecret(issuer_key, config.AUTH_ISSUER_KEY ?? ""))
    throw new HttpError(401, "wrong_issuer_key", "The issuer_key is not this server's AUTH_ISSUER_KEY", {
      headers: { "WWW-Authenticate": "Bearer" },
    });
  const seconds = (expires_minutes ?? config.AUTH_TOKEN_EXPIRE_MINUTES) * 60;
  const now = clock.now();
  const token = { subject, environment, expires: now + seconds * 1000 };
  return { token: await issueToken(config.AUTH_JWT_SECRET ?? "", token, now), seconds };
}

/** Takes the same time wherever the texts differ, and whatever their lengths. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return expected !== "" && timingSafeEqual(digest(given), digest(expected));
}
