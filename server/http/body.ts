import type { z } from "zod";
import { HttpError, validationError } from "./errors.ts";
import type { RouteContext } from "./route.ts";

/** Bytes a JSON body may have unless the route says otherwise. */
export const BODY_LIMIT = 256 * 1024;

export interface BodyOptions {
  /** Bytes. Default BODY_LIMIT. */
  readonly limit?: number;
  /** What an empty body stands for. Default: it is refused. */
  readonly empty?: unknown;
}

/**
 * Parses the body as JSON whatever its content type says. Synchronous when listen.ts collected the body, else a promise.
 *
 * @throws HttpError 400 `malformed_json` or `body_cut_off`, 413 `body_too_large`
 */
export function readJson(c: RouteContext, options: BodyOptions = {}): unknown {
  const { limit = BODY_LIMIT, empty } = options;
  const raw = c.env?.incoming?.rawBody;
  return raw === undefined ? readStream(c, limit).then((text) => parse(text, empty)) : parse(within(raw, limit), empty);
}

/** The value as the schema sees it. @throws HttpError 422 that names each wrong field */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, { error: missing });
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error);
}

/** zod's own words for a field left out are "expected string, received undefined". */
const missing: z.core.$ZodErrorMap = (issue) =>
  issue.code === "invalid_type" && issue.input === undefined
    ? `is missing; give ${issue.expected === "object" || issue.expected === "array" ? "an" : "a"} ${issue.expected}`
    : undefined;

function within(body: Buffer, limit: number): string {
  if (body.length > limit) throw tooLarge(limit);
  // Some programs begin a text with a byte order mark; TextDecoder leaves it out, too.
  return body.toString("utf8", body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);
}

async function readStream(c: RouteContext, limit: number): Promise<string> {
  if (Number(c.req.header("content-length") ?? 0) > limit) throw tooLarge(limit);
  const stream = c.req.raw.body;
  if (stream === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    // A client that goes away is an ECONNRESET, as the database is when it goes away.
    throw error instanceof HttpError ? error : cutOff(error as Error);
  }
  return text + decoder.decode();
}

function parse(text: string, empty: unknown): unknown {
  if (text === "" && empty !== undefined) return empty;
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = text.trim() === "" ? "the body is empty" : (error as Error).message;
    throw new HttpError(400, "malformed_json", `The body is not JSON: ${found}. Send one JSON object, UTF-8`);
  }
}

function cutOff({ message }: Error): HttpError {
  return new HttpError(400, "body_cut_off", `Not all of the body arrived: ${message}. Send it again`);
}

function tooLarge(limit: number): HttpError {
  const words = limit >= 1024 * 1024 ? `${limit / 1024 / 1024} MB` : `${limit / 1024} KB`;
  return new HttpError(
    413,
    "body_too_large",
    `The body is larger than the ${words} this call takes; send less at once`,
    {
      headers: { Connection: "close" },
    },
  );
}
