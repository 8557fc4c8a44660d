import { createRoute, z } from "@hono/zod-openapi";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import type { Profile } from "../../../core/event/profile.ts";
import type { User } from "../../../core/strategy.ts";
import type { Services } from "../../services.ts";
import type { Access, AccessControl } from "../access.ts";
import { AskedUser, isAskedUser } from "../asked-user.ts";
import { check } from "../body.ts";
import { DecisionAnswer, decisionText } from "../decision-answer.ts";
import { HttpError } from "../errors.ts";
import { decision, user } from "../examples/decision.ts";
import type { AnswerHeaders } from "../headers.ts";
import { hotPost } from "../hot-route.ts";
import { profileFor } from "../profile-for.ts";
import { type App, headerOf, json, type RouteContext } from "../route.ts";

const EvaluateRequest = z
  .object({
    feature_key: z.string().min(1).max(100),
    user: AskedUser,
    explain: z.boolean().optional().describe("Keep the trace: why each step decided or did not. Default false"),
  })
  .meta({ id: "EvaluateRequest" });

export const route = createRoute({
  method: "post",
  path: "/evaluate",
  operationId: "evaluate",
  tags: ["decisions"],
  summary: "Decide one feature for one user",
  description: "Answers 200 also for an unknown feature (`decision_source: feature_not_found`).",
  request: {
    body: {
      ...json(EvaluateRequest, "What is asked about whom", { feature_key: "new-checkout", user }),
      required: true,
    },
  },
  responses: { 200: json(DecisionAnswer, "The decision", decision) },
});

export type EvaluateServices = Pick<Services, "clock" | "snapshots" | "profiles" | "observer">;

/**
 * The hot path, top to bottom. Nothing waits unless the body is still arriving, the environment or token is new to this
 * process, a model wants a profile that is not cached, or a step answers with a promise.
 */
export function evaluateRoute(
  hot: App,
  document: App,
  services: EvaluateServices,
  { access, headers }: { access: AccessControl; headers: AnswerHeaders },
): void {
  const { clock, snapshots, observer } = services;
  document.openAPIRegistry.registerPath(route);

  hotPost(hot, "/evaluate", access, decide);

  function decide(c: RouteContext, body: unknown, { environment }: Access): Response | Promise<Response> {
    const { feature_key, user, explain } = accept(body);
    const snapshot = snapshots.get(environment);
    if (snapshot === undefined) throw starting();

    const answer = (profile: Profile | undefined): Response | Promise<Response> => {
      const at = clock.now();
      const respond = (decision: Decision): Response => {
        const observed = observer.decided(decision, { environment, user, profile, snapshot, at });
        return new Response(decisionText(decision, observed), { headers: headers.json(headerOf(c, "origin")) });
      };
      const decision = evaluate(snapshot, feature_key, user, { now: at, explain, profile, stale: snapshots.stale });
      return decision instanceof Promise ? decision.then(respond) : respond(decision);
    };

    if (snapshot.features.get(feature_key)?.profile !== true) return answer(undefined);
    const profile = profileFor(services, environment, user.user_id, { explain });
    return profile instanceof Promise ? profile.then(answer) : answer(profile);
  }
}

export function starting(): HttpError {
  return new HttpError(503, "starting", "The first snapshot is not loaded yet; /health/ready says when it is", {
    headers: { "Retry-After": "1" },
  });
}

interface Accepted {
  readonly feature_key: string;
  readonly user: User & { readonly user_id: string };
  readonly explain: boolean;
}

/** By hand, which costs a twentieth of a schema; the schema then explains what was refused. */
function accept(body: unknown): Accepted {
  if (typeof body === "object" && body !== null) {
    const { feature_key, user, explain } = body as { feature_key?: unknown; user?: unknown; explain?: unknown };
    if (
      typeof feature_key === "string" &&
      feature_key !== "" &&
      feature_key.length <= 100 &&
      isAskedUser(user) &&
      (explain === undefined || typeof explain === "boolean")
    )
      return { feature_key, user, explain: explain === true };
  }
  const { feature_key, user, explain = false } = check(EvaluateRequest, body);
  return { feature_key, user: user as Accepted["user"], explain };
}
