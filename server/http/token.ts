import { errors, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../../core/ports.ts";
import { HttpError } from "./errors.ts";

/** What a bearer token says. */
export interface Token {
  readonly subject: string;
  /** The only environment the token opens; undefined: any. */
  readonly environment: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

const ALGORITHM = "HS256";

/** How many verified tokens are remembered: the hot path then needs no cryptography and stays synchronous. */
const REMEMBERED = 10_000;

export async function issueToken(secret: string, token: Token, issuedAt: number): Promise<string> {
  const claims = token.environment === undefined ? {} : { environment: token.environment };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM })
    .setSubject(token.subject)
    .setIssuedAt(Math.floor(issuedAt / 1000))
    .setExpirationTime(Math.floor(token.expires / 1000))
    .sign(new TextEncoder().encode(secret));
}

/** Checks tokens; those seen before without a promise. The verifier throws HttpError 401 for a wrong or expired one. */
export function tokenVerifier(secret: string, clock: Clock): (jwt: string) => Token | Promise<Token> {
  const key = new TextEncoder().encode(secret);
  const seen = new Map<string, Token>();

  async function verify(jwt: string): Promise<Token> {
    try {
      const { payload } = await jwtVerify(jwt, key, {
        algorithms: [ALGORITHM],
        requiredClaims: ["sub", "exp"],
        currentDate: new Date(clock.now()),
      });
      const environment = typeof payload.environment === "string" ? payload.environment : undefined;
      const token = { subject: String(payload.sub), environment, expires: Number(payload.exp) * 1000 };
      const oldest = seen.size < REMEMBERED ? undefined : seen.keys().next().value;
      if (oldest !== undefined) seen.delete(oldest);
      seen.set(jwt, token);
      return token;
    } catch (error) {
      throw refused(error instanceof errors.JWTExpired);
    }
  }

  return (jwt) => {
    const token = seen.get(jwt);
    if (token === undefined) return verify(jwt);
    if (token.expires > clock.now()) return token;
    seen.delete(jwt);
    throw refused(true);
  };
}

function refused(expired: boolean): HttpError {
  const why = expired ? "has expired" : "was not signed by this server, or is not a token";
  return new HttpError(
    401,
    expired ? "token_expired" : "invalid_token",
    `The bearer token ${why}; POST /auth/token gives a new one`,
    {
      headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    },
  );
}
