import { z } from "@hono/zod-openapi";
import type { User } from "../../../core/strategy.ts";
import { AskedUser, isAskedUser } from "../asked-user.ts";
import { HttpError, validationError } from "../errors.ts";

/** The body of both calls, for the document; `askedContext` reads it. */
export const OfrepRequest = z
  .looseObject({
    context: z
      .looseObject({ targetingKey: z.string().max(200).nullish().describe("Our user_id. Empty or null: none") })
      .optional()
      .describe("Who is asked about. Default: nobody in particular"),
  })
  .meta({ id: "OfrepRequest" });

/** An OFREP context as the engine wants it: `targetingKey` is our `user_id`, everything else an attribute. */
export interface AskedContext {
  readonly user: User;
  readonly targetingKey: string | undefined;
}

/**
 * Without a targeting key a `user_id` among the attributes counts; without both, features are decided that need none.
 *
 * @throws HttpError 400 `malformed_json` when the body is no object, `invalid_context` that says what is wrong with it
 */
export function askedContext(body: unknown): AskedContext {
  if (!isObject(body))
    throw new HttpError(
      400,
      "malformed_json",
      'The body must be a JSON object such as {"context":{"targetingKey":"ada"}}',
    );
  const { context = {} } = body;
  if (!isObject(context)) throw invalidContext('must be an object such as {"targetingKey":"ada"}');
  const { targetingKey, ...attributes } = context;
  if (targetingKey !== undefined && targetingKey !== null && typeof targetingKey !== "string")
    throw invalidContext(`has a targetingKey that is no text but ${JSON.stringify(targetingKey)?.slice(0, 100)}`);
  const key = (targetingKey || attributes.user_id) ?? undefined;
  // The stand-in is for the check only: it asks for an id.
  const checked = { ...attributes, user_id: key ?? "-" };
  if (!isAskedUser(checked)) throw invalidContext(whyNot(checked));
  if (key === undefined) return { user: attributes as User, targetingKey: undefined };
  return { user: checked, targetingKey: checked.user_id };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function whyNot(user: object): string {
  const { error } = AskedUser.safeParse(user);
  return error === undefined
    ? "cannot be read"
    : `is refused: ${validationError(error).message.replace(/^user_id/, "targetingKey")}`;
}

function invalidContext(why: string): HttpError {
  return new HttpError(400, "invalid_context", `The context ${why}`);
}
