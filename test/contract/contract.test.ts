import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Every row of the base contract through real HTTP; training is in training.test.ts. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const now = () => new Date(Date.now() - 1000).toISOString();

describe("pages and operations", () => {
  test("GET / is the dashboard", async () => {
    const { status, headers, body } = await server.call("GET", "/");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("text/html");
    expect(body).toContain("<title>Adaptive feature flags</title>");
  });

  test("GET /health answers ok, /health/live too, /health/ready with details", async () => {
    expect(await server.call("GET", "/health")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await server.call("GET", "/health/live")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await server.call("GET", "/health/ready")).toMatchObject({
      status: 200,
      body: { status: "ok", database: "ok", snapshots: { ready: true, stale: false }, exposures: { dropped: 0 } },
    });
  });

  test("GET /docs is a page whose assets this server has", async () => {
    const { status, body } = await server.call("GET", "/docs");
    expect(status).toBe(200);
    const assets = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
    expect(assets.length).toBeGreaterThan(2);
    for (const path of assets) {
      expect(path).toMatch(/^\//);
      const asset = await server.call("GET", path);
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers.get("cache-control")).toContain("immutable");
    }
  });

  test("GET /openapi.json is OpenAPI 3.1", async () => {
    const { status, body } = await server.call("GET", "/openapi.json");
    expect(status).toBe(200);
    expect(body.openapi).toBe("3.1.0");
  });

  test("GET /metrics is Prometheus text, and JSON when asked for", async () => {
    const text = await server.call("GET", "/metrics");
    expect(text.status).toBe(200);
    expect(text.headers.get("content-type")).toContain("text/plain");
    expect(text.body).toContain("# TYPE ");
    const json = await server.call("GET", "/metrics", undefined, { Accept: "application/json" });
    expect(Object.keys(json.body).sort()).toEqual(["counters", "gauges", "timings_ms"]);
  });

  test("every answer carries the security headers, errors and refused requests too", async () => {
    const answers = await Promise.all([
      server.call("GET", "/"),
      server.call("GET", "/nothing-here"),
      server.call("GET", "/features/nope"),
      server.call("POST", "/evaluate", { feature_key: "any", user: { user_id: "u" } }),
      server.call("POST", "/evaluate", "{"),
      server.call("PATCH", "/features", {}),
      server.call("GET", "/docs"),
    ]);
    for (const { headers } of answers)
      expect([
        headers.get("x-content-type-options"),
        headers.get("x-frame-options"),
        headers.get("referrer-policy"),
      ]).toEqual(["nosniff", "DENY", "no-referrer"]);
  });
});

describe("features", () => {
  test("POST /features takes name and key alone and fills the contract's defaults", async () => {
    const { status, body, headers } = await server.call("POST", "/features", {
      name: "New checkout",
      key: "new_checkout",
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: "New checkout",
      key: "new_checkout",
      description: null,
      enabled: true,
      rollout_percentage: 0,
      ml_enabled: false,
      ml_threshold_mode: "fixed",
      ml_threshold_value: 0.1,
      version: 1,
    });
    expect(Number.isInteger(body.id)).toBe(true);
    expect(new Date(body.created_at).toISOString()).toBe(body.created_at);
    expect(new Date(body.updated_at).toISOString()).toBe(body.updated_at);
    expect(headers.get("etag")).toBe('"1"');
  });

  test("POST /features takes every field of the contract and gives it back", async () => {
    const sent = {
      name: "Recommendations",
      key: "recommendations",
      description: "Shown on the home page",
      enabled: false,
      rollout_percentage: 25,
      ml_enabled: true,
      ml_threshold_mode: "maximize_f1",
      ml_threshold_value: 0.4,
    };
    const created = await server.call("POST", "/features", sent);
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject(sent);
    expect((await server.call("GET", "/features/recommendations")).body).toEqual(created.body);
  });

  test("POST /features with a taken key is 409 with a code", async () => {
    const { status, body } = await server.call("POST", "/features", { name: "Again", key: "new_checkout" });
    expect(status).toBe(409);
    expect(body.detail.code).toBe("conflict");
    expect(body.detail.message).toContain("new_checkout");
  });

  test.each([
    ["name", { name: "ab", key: "abc_def" }],
    ["name", { name: "x".repeat(101), key: "abc_def" }],
    ["key", { name: "abc", key: "ab" }],
    ["key", { name: "abc", key: "x".repeat(51) }],
    ["description", { name: "abc", key: "abc_def", description: "x".repeat(501) }],
    ["enabled", { name: "abc", key: "abc_def", enabled: "yes" }],
    ["rollout_percentage", { name: "abc", key: "abc_def", rollout_percentage: 101 }],
    ["ml_enabled", { name: "abc", key: "abc_def", ml_enabled: 1 }],
    ["ml_threshold_mode", { name: "abc", key: "abc_def", ml_threshold_mode: "best" }],
    ["ml_threshold_value", { name: "abc", key: "abc_def", ml_threshold_value: 1.1 }],
  ])("POST /features with a wrong %s is 422 and names it", async (field, sent) => {
    const { status, body } = await server.call("POST", "/features", sent);
    expect(status).toBe(422);
    expect(body.detail).toMatchObject({ code: "validation_error", field });
    expect(body.detail.errors[0].field).toBe(field);
  });

  test("GET /features lists by creation; one is found by id and by key; else 404 not_found", async () => {
    const list = await server.call("GET", "/features");
    expect(list.status).toBe(200);
    expect(list.body.map(({ key }: { key: string }) => key)).toEqual(["new_checkout", "recommendations"]);
    const [first] = list.body;
    expect((await server.call("GET", `/features/${first.id}`)).body).toEqual(first);
    expect((await server.call("GET", "/features/new_checkout")).body).toEqual(first);
    const missing = await server.call("GET", "/features/nope");
    expect(missing.status).toBe(404);
    expect(missing.body.detail.code).toBe("not_found");
  });

  test("PUT replaces by id or key and is seen by the next decision; DELETE is 204, then 404", async () => {
    const { body: made } = await server.call("POST", "/features", { name: "Short-lived", key: "short_lived" });
    const put = await server.call("PUT", `/features/${made.id}`, {
      name: "Short-lived",
      key: "short_lived",
      rollout_percentage: 100,
    });
    expect(put.status).toBe(200);
    expect(put.body).toMatchObject({ id: made.id, rollout_percentage: 100, version: 2, created_at: made.created_at });
    const decided = await server.call("POST", "/evaluate", { feature_key: "short_lived", user: { user_id: "u1" } });
    expect(decided.body).toMatchObject({ enabled: true, decision_source: "rollout" });
    const gone = await server.call("DELETE", "/features/short_lived");
    expect(gone).toMatchObject({ status: 204, body: "" });
    expect((await server.call("DELETE", "/features/short_lived")).status).toBe(404);
    expect((await server.call("PUT", "/features/short_lived", { name: "abc", key: "short_lived" })).status).toBe(404);
  });
});

describe("decisions", () => {
  test("POST /evaluate answers the contract's fields in its order, then ours", async () => {
    const { status, body } = await server.call("POST", "/evaluate", {
      feature_key: "new_checkout",
      user: { user_id: "u1", country: "PT" },
    });
    expect(status).toBe(200);
    expect(Object.keys(body).slice(0, 9)).toEqual([
      "feature_key",
      "user_id",
      "enabled",
      "decision_source",
      "score",
      "threshold",
      "threshold_mode",
      "experiment",
      "model_version",
    ]);
    expect(body).toMatchObject({ feature_key: "new_checkout", user_id: "u1", enabled: false, experiment: null });
    expect(body.decision_id).toEqual(expect.any(String));
    expect(body).not.toHaveProperty("trace");
  });

  test("an unknown feature is 200 feature_not_found, a disabled one feature_disabled", async () => {
    const unknown = await server.call("POST", "/evaluate", { feature_key: "no_such", user: { user_id: "u1" } });
    expect(unknown).toMatchObject({
      status: 200,
      body: { feature_key: "no_such", enabled: false, decision_source: "feature_not_found", variant: null },
    });
    const disabled = await server.call("POST", "/evaluate", {
      feature_key: "recommendations",
      user: { user_id: "u1" },
    });
    expect(disabled).toMatchObject({ status: 200, body: { enabled: false, decision_source: "feature_disabled" } });
  });

  test("explain keeps the trace of every step", async () => {
    await server.call("POST", "/features", { name: "Explained", key: "explained", rollout_percentage: 50 });
    const { body } = await server.call("POST", "/evaluate", {
      feature_key: "explained",
      user: { user_id: "u1" },
      explain: true,
    });
    expect(body.trace.steps.length).toBeGreaterThan(0);
    expect(body.trace.steps[0]).toMatchObject({ id: "rollout", strategy: "hash-bucketing" });
  });

  test("POST /evaluate/batch decides all features of a user, and one feature for many users, in order", async () => {
    const all = await server.call("POST", "/evaluate/batch", { user: { user_id: "u1" } });
    expect(all.status).toBe(200);
    expect(all.body.results.map((result: { feature_key: string }) => result.feature_key)).toEqual(
      (await server.call("GET", "/features")).body.map(({ key }: { key: string }) => key),
    );
    const ids = ["c", "a", "b"];
    const many = await server.call("POST", "/evaluate/batch", {
      feature_key: "explained",
      users: ids.map((user_id) => ({ user_id })),
    });
    expect(many.body.results.map((result: { user_id: string }) => result.user_id)).toEqual(ids);
    for (const { decision_id: _, ...result } of many.body.results) {
      const { decision_id: __, ...single } = (
        await server.call("POST", "/evaluate", { feature_key: "explained", user: { user_id: result.user_id } })
      ).body;
      expect(result).toEqual(single);
    }
  });

  test("POST /evaluate/batch refuses more than 1,000 decisions, and both user and users", async () => {
    const users = Array.from({ length: 501 }, (_, index) => ({ user_id: `u${index}` }));
    const many = await server.call("POST", "/evaluate/batch", { feature_keys: ["one", "two"], users });
    expect(many).toMatchObject({ status: 422, body: { detail: { code: "too_many_decisions" } } });
    const both = await server.call("POST", "/evaluate/batch", { user: users[0], users });
    expect(both).toMatchObject({ status: 422, body: { detail: { field: "user" } } });
  });
});

describe("events", () => {
  test("POST /events is 201 with an id; GET /events filters, newest first", async () => {
    const older = {
      user_id: "e1",
      feature_key: "new_checkout",
      event_type: "view",
      timestamp: "2026-01-01T10:00:00Z",
      properties: { price: 3 },
    };
    const newer = { ...older, event_type: "addtocart", timestamp: "2026-01-01T11:00:00+00:00", source: "web" };
    for (const event of [older, newer]) {
      const { status, body } = await server.call("POST", "/events", event);
      expect(status).toBe(201);
      expect(Number.isInteger(body.id)).toBe(true);
    }
    const list = await server.call("GET", "/events?user_id=e1&feature_key=new_checkout");
    expect(list.status).toBe(200);
    expect(list.body.map(({ event_type }: { event_type: string }) => event_type)).toEqual(["addtocart", "view"]);
    const one = await server.call("GET", "/events?user_id=e1&event_type=view");
    expect(one.body).toHaveLength(1);
    expect(one.body[0]).toMatchObject({ user_id: "e1", event_type: "view", properties: { price: 3 } });
  });

  test("POST /ingest/events saves the good and rejects the bad alone", async () => {
    const good = { user_id: "i1", feature_key: "new_checkout", event_type: "view", timestamp: now(), properties: {} };
    const { status, body } = await server.call("POST", "/ingest/events", {
      source: "test",
      events: [
        good,
        { ...good, timestamp: "2026-01-01T10:00:00" },
        { ...good, timestamp: new Date(Date.now() + 86_400_000).toISOString() },
        { ...good, user_id: "" },
        { ...good, properties: { latency_ms: 120_001 } },
        { ...good, properties: { error_rate: 1.5 } },
        { ...good, properties: { cpu_pct: -1 } },
        { ...good, event_type: "addtocart" },
      ],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ saved_events: 2, rejected: 6 });
    expect(body.rejections.map(({ index }: { index: number }) => index)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("experiments", () => {
  test("POST /experiments is 201, decides for its feature, is listed and has a result", async () => {
    await server.call("POST", "/features", { name: "Tested", key: "tested_feature" });
    const { status, body } = await server.call("POST", "/experiments", {
      name: "Does it help",
      feature_key: "tested_feature",
      primary_metric_event: "addtocart",
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ min_samples_per_variant: 100, min_lift: 0.02, enabled: true });
    expect(Number.isInteger(body.id)).toBe(true);
    expect((await server.call("GET", "/experiments")).body).toHaveLength(1);

    const decided = await server.call("POST", "/evaluate", { feature_key: "tested_feature", user: { user_id: "x1" } });
    expect(decided.body).toMatchObject({
      decision_source: "experiment",
      experiment: { experiment_id: body.id, experiment_name: "Does it help", variant: expect.stringMatching(/^[AB]$/) },
    });

    const result = await server.call("GET", `/experiments/${body.id}/result`);
    expect(result.status).toBe(200);
    expect(result.body).toMatchObject({
      experiment_id: body.id,
      experiment_name: "Does it help",
      feature_key: "tested_feature",
      primary_metric_event: "addtocart",
      variant_stats: {
        A: { samples: expect.any(Number), positives: 0 },
        B: { samples: expect.any(Number), positives: 0 },
      },
      min_lift: 0.02,
      min_samples_per_variant: 100,
      decision: "continue",
    });
    for (const field of ["rate_a", "rate_b", "lift_b_vs_a"]) expect(result.body).toHaveProperty(field);
  });
});

describe("models before the first training", () => {
  test("GET /model/status is not_trained, GET /model/runs is empty, a job that is not there is 404", async () => {
    expect(await server.call("GET", "/model/status")).toMatchObject({
      status: 200,
      body: { status: "not_trained", model_name: null, model_version: null, trained_at: null, metrics: null },
    });
    expect(await server.call("GET", "/model/runs?limit=5")).toMatchObject({ status: 200, body: { runs: [] } });
    for (const id of ["1", "00000000-0000-4000-8000-000000000000"])
      expect(await server.call("GET", `/train/jobs/${id}`)).toMatchObject({
        status: 404,
        body: { detail: { code: "not_found" } },
      });
  });

  test("POST /train/async is 202, its job is readable, shared by a second request, and can be cancelled", async () => {
    const first = await server.call("POST", "/train/async", {});
    expect(first).toMatchObject({ status: 202, body: { status: "queued", shared: false } });
    expect(new Date(first.body.submitted_at).getTime()).toBeGreaterThan(0);
    const second = await server.call("POST", "/train/async");
    expect(second).toMatchObject({ status: 202, body: { job_id: first.body.job_id, shared: true } });
    const path = `/train/jobs/${first.body.job_id}`;
    expect(await server.call("GET", path)).toMatchObject({
      status: 200,
      body: { status: "queued", result: null, error: null },
    });
    expect(await server.call("DELETE", path)).toMatchObject({ status: 200, body: { status: "cancelled" } });
  });
});

describe("POST /auth/token", () => {
  test("is 409 while authentication is off", async () => {
    const { status, body } = await server.call("POST", "/auth/token", { issuer_key: "x" });
    expect(status).toBe(409);
    expect(body.detail.code).toBe("auth_off");
  });
});
