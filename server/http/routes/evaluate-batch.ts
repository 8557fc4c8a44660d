import { createRoute, z } from "@hono/zod-openapi";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluateAll } from "../../../core/engine/evaluate.ts";
import type { Snapshot } from "../../../core/engine/snapshot.ts";
import type { Profile } from "../../../core/event/profile.ts";
import type { User } from "../../../core/strategy.ts";
import type { Access, AccessControl } from "../access.ts";
import { AskedUser, isAskedUser } from "../asked-user.ts";
import { check } from "../body.ts";
import { DecisionAnswer, decisionAnswer, decisionText } from "../decision-answer.ts";
import { HttpError } from "../errors.ts";
import { decision, user } from "../examples/decision.ts";
import type { AnswerHeaders } from "../headers.ts";
import { hotPost } from "../hot-route.ts";
import { profileFor, wantsProfile } from "../profile-for.ts";
import { type App, headerOf, json, type RouteContext } from "../route.ts";
import { type EvaluateServices, starting } from "./evaluate.ts";

/** Decisions one call may ask for: features x users. */
const MAX_DECISIONS = 1000;
const AT_A_TIME = 5;
const BATCH_BODY_LIMIT = 4 * 1024 * 1024;

const Key = z.string().min(1).max(100);
const BatchRequest = z
  .strictObject({
    feature_key: Key.optional(),
    feature_keys: z.array(Key).max(MAX_DECISIONS).optional().describe("Default: every feature, by creation"),
    user: AskedUser.optional().describe("Either this or `users`"),
    users: z.array(AskedUser).min(1).max(MAX_DECISIONS).optional().describe("Either these or `user`"),
    explain: z.boolean().default(false),
    at: z.iso
      .datetime({ offset: true })
      .optional()
      .describe("Decide as if it were this time: a replay, which is neither counted nor stored. Default: now"),
  })
  .refine((asked) => (asked.user === undefined) !== (asked.users === undefined), {
    path: ["user"],
    message: "Takes exactly one of `user` and `users`",
  })
  .refine((asked) => asked.feature_key === undefined || asked.feature_keys === undefined, {
    path: ["feature_key"],
    message: "Takes at most one of `feature_key` and `feature_keys`",
  })
  .meta({ id: "BatchRequest" });

const BatchAnswer = z.object({ results: z.array(DecisionAnswer) }).meta({ id: "BatchAnswer" });

export const route = createRoute({
  method: "post",
  path: "/evaluate/batch",
  operationId: "evaluateBatch",
  tags: ["decisions"],
  summary: "Decide many features for one user, or some features for many users",
  description: `At most ${MAX_DECISIONS} decisions. Answered user by user, the features in the order asked.`,
  request: {
    body: {
      ...json(BatchRequest, "What is asked about whom", { feature_keys: ["new-checkout"], users: [user] }),
      required: true,
    },
  },
  responses: { 200: json(BatchAnswer, "The decisions, in order", { results: [decision] }) },
});

type AskedAbout = User & { readonly user_id: string };

/** A hot route like `POST /evaluate`: nothing waits unless a user's profile or a step does. */
export function evaluateBatchRoute(
  hot: App,
  document: App,
  services: EvaluateServices,
  { access, headers }: { access: AccessControl; headers: AnswerHeaders },
): void {
  document.openAPIRegistry.registerPath(route);

  hotPost(hot, "/evaluate/batch", access, decide, { limit: BATCH_BODY_LIMIT });

  function decide(c: RouteContext, body: unknown, { environment }: Access): Response | Promise<Response> {
    const { users, keys, explain, at } = accept(body);
    const snapshot = services.snapshots.get(environment);
    if (snapshot === undefined) throw starting();
    const count = keys?.length ?? snapshot.features.size;
    if (users.length * count > MAX_DECISIONS)
      throw new HttpError(
        422,
        "too_many_decisions",
        `${count} features for ${users.length} users are ${count * users.length} decisions; one call takes ${MAX_DECISIONS}`,
      );
    const about = { environment, snapshot, keys, explain, replayedAt: at === undefined ? undefined : Date.parse(at) };
    const respond = (results: string) =>
      new Response(`{"results":[${results}]}`, { headers: headers.json(headerOf(c, "origin")) });
    const [user] = users;
    if (user === undefined || users.length > 1) return decideUsers(services, users, about).then(respond);
    const results = decideAll(services, { ...about, user });
    return results instanceof Promise ? results.then(respond) : respond(results);
  }
}

interface Asked {
  readonly users: readonly AskedAbout[];
  /** undefined: all features. */
  readonly keys: readonly string[] | undefined;
  readonly explain: boolean;
  readonly at: string | undefined;
}

/** The usual question by hand, as in evaluate.ts; the schema takes the others, and explains what it refuses. */
function accept(body: unknown): Asked {
  if (typeof body === "object" && body !== null) {
    const { user, feature_keys, ...others } = body as { user?: unknown; feature_keys?: unknown };
    if (isEmpty(others) && isAskedUser(user) && (feature_keys === undefined || areKeys(feature_keys)))
      return { users: [user], keys: feature_keys, explain: false, at: undefined };
  }
  const { feature_key, feature_keys, explain, at } = check(BatchRequest, body);
  // As they were sent, for zod's copies lack an attribute named __proto__.
  const { user, users = [user] } = body as { user: AskedAbout; users?: readonly AskedAbout[] };
  return { users, keys: feature_keys ?? (feature_key === undefined ? undefined : [feature_key]), explain, at };
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

function areKeys(keys: unknown): keys is readonly string[] {
  return (
    Array.isArray(keys) &&
    keys.length <= MAX_DECISIONS &&
    keys.every((key) => typeof key === "string" && key !== "" && key.length <= 100)
  );
}

interface About {
  readonly environment: string;
  readonly snapshot: Snapshot;
  readonly keys: readonly string[] | undefined;
  readonly explain: boolean;
  /** Milliseconds since the epoch; undefined: now, and for real. */
  readonly replayedAt: number | undefined;
}

/** A few at a time: profiles that are not cached would otherwise queue for connections beyond their budget. */
async function decideUsers(services: EvaluateServices, users: readonly AskedAbout[], about: About): Promise<string> {
  const results: string[] = [];
  for (let from = 0; from < users.length; from += AT_A_TIME) {
    const some = users.slice(from, from + AT_A_TIME).map((user) => decideAll(services, { ...about, user }));
    results.push(...(await Promise.all(some)));
  }
  return results.filter((result) => result !== "").join(",");
}

/** The decisions about one user as JSON, with commas between. */
function decideAll(services: EvaluateServices, about: About & { user: AskedAbout }): string | Promise<string> {
  const { clock, snapshots, observer } = services;
  const { environment, snapshot, user, keys, explain, replayedAt } = about;

  const answer = (profile: Profile | undefined): string | Promise<string> => {
    const at = replayedAt ?? clock.now();
    const decisions: (Decision | Promise<Decision>)[] = [];
    let waits = false;
    evaluateAll(snapshot, keys, user, { now: at, explain, profile, stale: snapshots.stale }, (decided) => {
      decisions.push(decided);
      if (decided instanceof Promise) waits = true;
    });
    const write = (made: readonly Decision[]): string => {
      let text = "";
      for (const decision of made) {
        const observed =
          replayedAt === undefined && observer.decided(decision, { environment, user, profile, snapshot, at });
        const own = observed ? decisionText(decision, observed) : JSON.stringify(decisionAnswer(decision, "replay"));
        text += text === "" ? own : `,${own}`;
      }
      return text;
    };
    return waits ? Promise.all(decisions).then(write) : write(decisions as readonly Decision[]);
  };

  if (!wantsProfile(snapshot, keys)) return answer(undefined);
  const profile = profileFor(services, environment, user.user_id, { explain: explain || replayedAt !== undefined });
  return profile instanceof Promise ? profile.then(answer) : answer(profile);
}
