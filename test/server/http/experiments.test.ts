import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const users = Array.from({ length: 1000 }, (_, index) => `user-${index}`);

interface Answer {
  readonly enabled: boolean;
  readonly variant: string;
  readonly decision_source: string;
  readonly experiment: { readonly experiment_id: number; readonly experiment_name: string; readonly variant: string };
}

describe("POST /experiments", () => {
  test("fills in the contract's defaults, with the off variant as control", async () => {
    await createFeature("with-defaults");
    const { status, body } = await create({ feature_key: "with-defaults" });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      id: expect.any(Number),
      name: "An experiment",
      feature_key: "with-defaults",
      primary_metric_event: "purchase",
      min_samples_per_variant: 100,
      min_lift: 0.02,
      alpha: 0.05,
      enabled: true,
      seed: `experiment-${body.id}`,
      arms: [
        { name: "A", variant: "off", weight: 50 },
        { name: "B", variant: "on", weight: 50 },
      ],
      ended_at: null,
    });
    expect((await server.call("GET", `/experiments/${body.id}`)).body).toEqual(body);
    expect((await server.call("GET", "/experiments")).body).toContainEqual(body);
  });

  test("answers 404 for a feature that does not exist", async () => {
    const { status, body } = await create({ feature_key: "nowhere" });
    expect(status).toBe(404);
    expect(body.detail.code).toBe("not_found");
  });

  test("answers 409 while another experiment runs on the feature", async () => {
    await createFeature("taken");
    expect((await create({ feature_key: "taken" })).status).toBe(201);
    const second = await create({ feature_key: "taken" });
    expect(second.status).toBe(409);
    expect(second.body.detail).toMatchObject({ code: "conflict", message: expect.stringContaining('"taken"') });
  });

  test.each([
    ["an undeclared variant", { arms: arms(["off", 50], ["blue", 50]) }, "undeclared_variant"],
    ["weights that do not sum to 100", { arms: arms(["off", 50], ["on", 49]) }, "weights_not_100"],
    ["an arm without weight", { arms: arms(["off", 100], ["on", 0]) }, "validation_error"],
    ["a single arm", { arms: arms(["on", 100]) }, "validation_error"],
    ["eleven arms", { arms: arms(...Array.from({ length: 11 }, () => ["on", 9] as const)) }, "validation_error"],
    ["no samples", { min_samples_per_variant: 0 }, "validation_error"],
    ["a lift above 1", { min_lift: 1.5 }, "validation_error"],
    ["an empty name", { name: " " }, "validation_error"],
    ["a field it does not know", { sample_size: 5 }, "validation_error"],
  ])("refuses %s", async (_, fields, code) => {
    await createFeature("refused");
    const { status, body } = await create({ feature_key: "refused", ...fields });
    expect(status).toBe(422);
    expect(body.detail.code).toBe(code);
  });

  test("does not guess the arms of a feature with several variants", async () => {
    await createFeature("colours", { variants: { grey: "#888", blue: "#00f", green: "#0f0" }, off_variant: "grey" });
    const { status, body } = await create({ feature_key: "colours" });
    expect(status).toBe(422);
    expect(body.detail.code).toBe("arms_required");
  });
});

describe("GET /experiments/{id}", () => {
  test.each(["999999", "abc", "1.5", "99999999999999999999"])("answers 404 for %s", async (id) => {
    for (const path of [`/experiments/${id}`, `/experiments/${id}/result`])
      expect((await server.call("GET", path)).status).toBe(404);
    expect((await server.call("POST", `/experiments/${id}/stop`)).status).toBe(404);
  });
});

describe("an experiment, end to end", () => {
  test("its split decides, each user counts once, and its result is of exposed users", async () => {
    await createFeature("checkout");
    const { body: experiment } = await create({ feature_key: "checkout" });

    const first = await evaluateAll("checkout");
    for (const answer of first.values())
      expect(answer).toMatchObject({
        decision_source: "experiment",
        experiment: { experiment_id: experiment.id, experiment_name: "An experiment" },
        variant: answer.experiment.variant === "A" ? "off" : "on",
        enabled: answer.experiment.variant === "B",
      });
    expect(armsOf(await evaluateAll("checkout"))).toEqual(armsOf(first));
    await server.services.observer.flush();
    const [stored] = await server.database.sql<{ users: number }[]>`
      select count(*) as users from experiment_exposures where experiment_id = ${experiment.id}`;
    expect(stored?.users).toBe(users.length);

    const inA = usersOf(first, "A");
    const inB = usersOf(first, "B");
    expect(inA.length).toBeGreaterThan(430);
    expect(inB.length).toBeGreaterThan(430);
    const buyers = [...inA.slice(0, 50), ...inB.slice(0, 120)];
    await ingest("checkout", [...buyers, ...buyers], "purchase");
    await ingest("checkout", inA.slice(60, 200), "view");
    await ingest("checkout", ["never-evaluated"], "purchase");

    const { status, body: result } = await server.call("GET", `/experiments/${experiment.id}/result`);
    expect(status).toBe(200);
    expect(result).toMatchObject({
      experiment_id: experiment.id,
      experiment_name: "An experiment",
      feature_key: "checkout",
      primary_metric_event: "purchase",
      variant_stats: { A: { samples: inA.length, positives: 50 }, B: { samples: inB.length, positives: 120 } },
      rate_a: 50 / inA.length,
      rate_b: 120 / inB.length,
      min_lift: 0.02,
      min_samples_per_variant: 100,
      decision: "stop_promote_b",
      sample_ratio: { ok: true },
    });
    expect(result.lift_b_vs_a).toBeCloseTo(120 / inB.length - 50 / inA.length, 12);
    expect(result.comparisons).toHaveLength(1);
    expect(result.comparisons[0].interval[0]).toBeGreaterThan(0.05);
    expect(result.comparisons[0].p_value).toBeLessThan(0.001);

    const { body: events } = await server.call("GET", `/events?user_id=${inB[0]}&feature_key=checkout`);
    expect(events[0].ab_variant).toBe("B");
  });

  test("says how many users are missing before it decides", async () => {
    await createFeature("young");
    const { body: experiment } = await create({ feature_key: "young" });
    await evaluateAll("young", users.slice(0, 30));
    await server.services.observer.flush();
    const { body: result } = await server.call("GET", `/experiments/${experiment.id}/result`);
    expect(result.decision).toBe("continue");
    expect(result.message).toMatch(/^Not enough yet: \d+ of 100 users in arm [AB]\.$/);
  });

  test("divides users among any number of arms by their weights, each with its variant", async () => {
    await createFeature("button", { variants: { grey: "#888", blue: "#00f", green: "#0f0" }, off_variant: "grey" });
    const { status, body: experiment } = await create({
      feature_key: "button",
      arms: arms(["grey", 50], ["blue", 30], ["green", 20]),
    });
    expect(status).toBe(201);
    const answers = await evaluateAll("button");
    for (const answer of answers.values())
      expect(answer.variant).toBe({ A: "grey", B: "blue", C: "green" }[answer.experiment.variant]);
    await server.services.observer.flush();
    await ingest("button", usersOf(answers, "C"), "purchase");
    const { body: result } = await server.call("GET", `/experiments/${experiment.id}/result`);
    expect(result.sample_ratio.ok).toBe(true);
    expect(result.variant_stats.C.positives).toBe(usersOf(answers, "C").length);
    expect(result.decision).toBe("stop_promote_c");
    expect(result.comparisons.map(({ arm }: { arm: string }) => arm)).toEqual(["B", "C"]);
  });

  test("draws its arms independently of other experiments and of the rollout", async () => {
    await createFeature("one", { rollout_percentage: 50 });
    const rolledOut = await evaluateAll("one");
    await createFeature("other");
    await create({ feature_key: "one" });
    await create({ feature_key: "other" });
    const one = await evaluateAll("one");
    const other = await evaluateAll("other");
    const together = (chosen: (user: string) => boolean) => users.filter(chosen).length / users.length;
    const inB = (answers: ReadonlyMap<string, Answer>, user: string) => answers.get(user)?.experiment.variant === "B";
    // Half of the users agree by chance, give or take 1.6 points.
    expect(Math.abs(together((user) => inB(one, user) === inB(other, user)) - 0.5)).toBeLessThan(0.08);
    expect(Math.abs(together((user) => inB(one, user) === rolledOut.get(user)?.enabled) - 0.5)).toBeLessThan(0.08);
  });

  test("gives the feature back to its rollout when it is stopped, for good", async () => {
    await createFeature("returned", { rollout_percentage: 30 });
    const before = await evaluateAll("returned");
    const { body: experiment } = await create({ feature_key: "returned" });
    expect((await evaluateAll("returned")).get("user-0")?.decision_source).toBe("experiment");
    const stopped = await server.call("POST", `/experiments/${experiment.id}/stop`);
    expect(stopped.body).toMatchObject({ id: experiment.id, enabled: false, ended_at: expect.any(String) });
    const after = await evaluateAll("returned");
    for (const [user, answer] of after) {
      expect(answer).toMatchObject({ decision_source: "rollout", experiment: null });
      expect(answer.variant).toBe(before.get(user)?.variant);
    }
    expect((await server.call("POST", `/experiments/${experiment.id}/stop`)).body).toEqual(stopped.body);
    expect((await server.call("POST", `/experiments/${experiment.id}/start`)).status).toBe(409);
    expect((await create({ feature_key: "returned" })).status).toBe(201);
  });

  test("keeps the variants it serves: the feature cannot be written without them until it is stopped", async () => {
    await createFeature("kept");
    const { body } = await create({ feature_key: "kept" });
    const without = { key: "kept", name: "Kept", variants: { off: false }, steps: [] };
    const refused = await server.call("PUT", "/features/kept", without);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toMatchObject({ code: "variant_in_experiment" });
    expect(refused.body.detail.message).toContain('"on"');
    await server.call("POST", `/experiments/${body.id}/stop`);
    expect((await server.call("PUT", "/features/kept", without)).status).toBe(200);
  });

  test("keeps its feature's key", async () => {
    await createFeature("named");
    const { body } = await create({ feature_key: "named" });
    const renamed = await server.call("PUT", "/features/named", { key: "renamed", name: "Renamed" });
    expect(renamed).toMatchObject({ status: 422, body: { detail: { code: "feature_in_experiment", field: "key" } } });
    await server.call("POST", `/experiments/${body.id}/stop`);
    expect((await server.call("PUT", "/features/named", { key: "renamed", name: "Renamed" })).status).toBe(200);
  });

  test("cannot be started when the feature has lost a variant meanwhile", async () => {
    await createFeature("lost");
    const { body } = await create({ feature_key: "lost", enabled: false });
    const without = { key: "lost", name: "Lost", variants: { off: false }, steps: [] };
    expect((await server.call("PUT", "/features/lost", without)).status).toBe(200);
    const started = await server.call("POST", `/experiments/${body.id}/start`);
    expect(started).toMatchObject({ status: 422, body: { detail: { code: "variant_in_experiment" } } });
  });

  test("never runs without its variants, whichever of two writers comes first", async () => {
    for (let round = 0; round < 8; round++) {
      const key = `raced${round}`;
      await createFeature(key);
      const writes = [
        () => create({ feature_key: key }),
        () => server.call("PUT", `/features/${key}`, { key, name: "Raced", variants: { off: false }, steps: [] }),
      ];
      const [one, two] = await Promise.all((round % 2 ? writes : writes.toReversed()).map((write) => write()));
      expect([one?.status, two?.status].filter((status) => status === 422)).toHaveLength(1);
    }
  });

  test("waits when it was created with enabled: false", async () => {
    await createFeature("waiting");
    const { body: experiment } = await create({ feature_key: "waiting", enabled: false });
    expect((await evaluateAll("waiting", ["ann"])).get("ann")?.experiment).toBeNull();
    const started = await server.call("POST", `/experiments/${experiment.id}/start`);
    expect(started.body).toMatchObject({ enabled: true, ended_at: null });
    expect((await evaluateAll("waiting", ["ann"])).get("ann")?.decision_source).toBe("experiment");
  });

  test("does not outrank the kill switch", async () => {
    const feature = await createFeature("killed");
    await create({ feature_key: "killed" });
    await server.call("PUT", "/features/killed", { ...feature, enabled: false });
    expect((await evaluateAll("killed", ["ann"])).get("ann")).toMatchObject({
      decision_source: "feature_disabled",
      variant: "off",
      experiment: null,
    });
  });

  test("trusts no result when exposures of one arm were lost", async () => {
    await createFeature("lossy");
    const { body: experiment } = await create({ feature_key: "lossy" });
    const answers = await evaluateAll("lossy");
    await server.services.observer.flush();
    await ingest("lossy", usersOf(answers, "B"), "purchase");
    await server.database.sql`
      delete from experiment_exposures
      where experiment_id = ${experiment.id} and arm = 'A' and user_id ~ '[0-3]$'`;
    const { body: result } = await server.call("GET", `/experiments/${experiment.id}/result`);
    expect(result.sample_ratio.ok).toBe(false);
    expect(result.decision).toBe("continue");
    expect(result.message).toBe(result.sample_ratio.message);
  });

  test("belongs to its environment", async () => {
    await server.call("POST", "/environments", { key: "staging" });
    await createFeature("shared");
    const { body: experiment } = await create({ feature_key: "shared" });
    const elsewhere = { "X-Environment": "staging" };
    expect((await server.call("GET", `/experiments/${experiment.id}`, undefined, elsewhere)).status).toBe(404);
    expect((await server.call("GET", "/experiments", undefined, elsewhere)).body).toEqual([]);
    expect((await server.call("POST", `/experiments/${experiment.id}/stop`, undefined, elsewhere)).status).toBe(404);
  });
});

async function createFeature(key: string, fields: object = {}): Promise<Record<string, unknown>> {
  const { status, body } = await server.call("POST", "/features", { key, name: `Feature ${key}`, ...fields });
  if (status !== 201 && status !== 409) throw new Error(`Creating ${key}: ${JSON.stringify(body)}`);
  return body;
}

function create(fields: object) {
  return server.call("POST", "/experiments", {
    name: "An experiment",
    primary_metric_event: "purchase",
    ...fields,
  });
}

function arms(...all: (readonly [variant: string, weight: number])[]) {
  return all.map(([variant, weight]) => ({ variant, weight }));
}

/** Fifty at a time. */
async function evaluateAll(feature_key: string, who: readonly string[] = users): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (let at = 0; at < who.length; at += 50)
    await Promise.all(
      who.slice(at, at + 50).map(async (user_id) => {
        const { status, body } = await server.call("POST", "/evaluate", { feature_key, user: { user_id } });
        if (status !== 200) throw new Error(JSON.stringify(body));
        answers.set(user_id, body);
      }),
    );
  return answers;
}

function armsOf(answers: ReadonlyMap<string, Answer>): Record<string, string> {
  return Object.fromEntries([...answers].map(([user, { experiment }]) => [user, experiment.variant]));
}

function usersOf(answers: ReadonlyMap<string, Answer>, arm: string): string[] {
  return users.filter((user) => answers.get(user)?.experiment.variant === arm);
}

async function ingest(feature_key: string, who: readonly string[], event_type: string): Promise<void> {
  const timestamp = new Date().toISOString();
  const events = who.map((user_id) => ({ user_id, feature_key, event_type, timestamp, properties: {} }));
  const { status, body } = await server.call("POST", "/ingest/events", { source: "test", events });
  if (status !== 201 || body.rejected !== 0) throw new Error(JSON.stringify(body));
}
