import { createRoute, z } from "@hono/zod-openapi";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluateAll } from "../../../core/engine/evaluate.ts";
import type { Snapshot } from "../../../core/engine/snapshot.ts";
import type { User } from "../../../core/strategy.ts";
import { AskedUser } from "../asked-user.ts";
import { check, readJson } from "../body.ts";
import { DecisionAnswer, decisionAnswer } from "../decision-answer.ts";
import { HttpError } from "../errors.ts";
import { decision, user } from "../examples/decision.ts";
import { profileFor } from "../profile-for.ts";
import { type App, json, on } from "../route.ts";
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

export function evaluateBatchRoute(app: App, services: EvaluateServices): void {
  const { snapshots } = services;
  on(app, route, async (c) => {
    const body = await readJson(c, { limit: BATCH_BODY_LIMIT });
    const asked = check(BatchRequest, body);
    const environment = c.get("environment");
    const snapshot = snapshots.get(environment);
    if (snapshot === undefined) throw starting();
    // As they were sent, for zod's copies lack an attribute named __proto__.
    const { user, users = [user] } = body as { user: AskedAbout; users?: readonly AskedAbout[] };
    const keys = asked.feature_keys ?? (asked.feature_key === undefined ? undefined : [asked.feature_key]);
    const count = keys?.length ?? snapshot.features.size;
    if (users.length * count > MAX_DECISIONS)
      throw new HttpError(
        422,
        "too_many_decisions",
        `${count} features for ${users.length} users are ${count * users.length} decisions; one call takes ${MAX_DECISIONS}`,
      );
    const replayedAt = asked.at === undefined ? undefined : Date.parse(asked.at);
    const about = { environment, snapshot, keys, explain: asked.explain, replayedAt };
    const results: DecisionAnswer[] = [];
    // A few at a time: profiles that are not cached would otherwise queue for connections beyond their budget.
    for (let from = 0; from < users.length; from += AT_A_TIME) {
      const some = users.slice(from, from + AT_A_TIME).map((user) => decideAll(services, { ...about, user }));
      results.push(...(await Promise.all(some)).flat());
    }
    return c.json({ results });
  });
}

async function decideAll(
  services: EvaluateServices,
  about: {
    environment: string;
    snapshot: Snapshot;
    user: AskedAbout;
    /** undefined: all features. */
    keys: readonly string[] | undefined;
    explain: boolean;
    /** Milliseconds since the epoch; undefined: now, and for real. */
    replayedAt: number | undefined;
  },
): Promise<DecisionAnswer[]> {
  const { clock, snapshots, observer } = services;
  const { environment, snapshot, user, keys, explain, replayedAt } = about;
  const wanted =
    keys?.some((key) => snapshot.features.get(key)?.profile) ??
    [...snapshot.features.values()].some((feature) => feature.profile);
  const profile = wanted ? await profileFor(services, environment, user.user_id) : undefined;
  const at = replayedAt ?? clock.now();
  const decisions: (Decision | Promise<Decision>)[] = [];
  const options = { now: at, explain, profile, stale: snapshots.stale };
  evaluateAll(snapshot, keys, user, options, (decided) => decisions.push(decided));
  const results: DecisionAnswer[] = [];
  for (const decided of decisions) {
    const decision = decided instanceof Promise ? await decided : decided;
    const id =
      replayedAt === undefined ? observer.decided(decision, { environment, user, profile, snapshot, at }) : "replay";
    results.push(decisionAnswer(decision, id));
  }
  return results;
}
