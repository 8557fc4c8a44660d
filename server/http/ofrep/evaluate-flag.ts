import { createRoute, z } from "@hono/zod-openapi";
import type { Decision } from "../../../core/decision/decision.ts";
import { readJson } from "../body.ts";
import { ofrepFlag, ofrepRequest } from "../examples/decision.ts";
import { type App, json, on } from "../route.ts";
import { ofrepFailures } from "./answer-error.ts";
import { askedContext, OfrepRequest } from "./asked-context.ts";
import type { Decider } from "./decider.ts";
import { flagAnswer, OfrepFlag } from "./flag-answer.ts";

export const route = createRoute({
  method: "post",
  path: "/ofrep/v1/evaluate/flags/{key}",
  operationId: "evaluateFlag",
  tags: ["ofrep"],
  summary: "OFREP: evaluate one flag",
  description: "What OpenFeature's server-side providers call. The same decision as POST /evaluate, in OFREP's words.",
  request: {
    params: z.object({
      key: z.string().meta({ description: "A feature's key, percent-encoded", examples: ["new-checkout"] }),
    }),
    body: { ...json(OfrepRequest, "Who is asked about", ofrepRequest), required: false },
  },
  responses: {
    200: json(OfrepFlag, "The flag's value; without `value` the caller's default is to be used", ofrepFlag),
    ...ofrepFailures(400, 401, 403, 404, 429, 500, 503),
  },
});

export function evaluateFlagRoute(app: App, decider: Decider): void {
  on(app, route, async (c) => {
    const asked = askedContext(await readJson(c, { empty: {} }));
    const environment = c.get("environment");
    const key = c.req.param("key") as string;
    const question = { ...asked, environment, snapshot: decider.snapshot(environment), keys: [key] };
    const [decision] = await decider.decide(question, await decider.profile(question));
    const answer = flagAnswer(decision as Decision, metadataOf(environment, asked.targetingKey));
    return c.json(answer, "errorCode" in answer ? STATUSES[answer.errorCode] : 200);
  });
}

/** What both calls say of every flag. */
export function metadataOf(flagSetId: string, targetingKey: string | undefined) {
  return targetingKey === undefined ? { flagSetId } : { contextId: targetingKey, flagSetId };
}

const STATUSES = {
  FLAG_NOT_FOUND: 404,
  TARGETING_KEY_MISSING: 400,
  INVALID_CONTEXT: 400,
  PARSE_ERROR: 400,
  GENERAL: 500,
} as const;
