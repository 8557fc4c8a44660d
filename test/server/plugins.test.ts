import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OPENS_AFTER } from "../../core/engine/breaker.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Product, startProduct } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";

let database: TestDatabase;
let folder: string;
let product: Product;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hot-"));
  await mkdir(join(folder, "parts"));
  database = await createTestDatabase();
  product = await startProduct({
    DATABASE_URL: database.url,
    PLUGINS: `./test/support/unsound-strategy.ts,${folder}`,
  });
});
afterAll(async () => {
  await product?.stop();
  await database?.close();
  await rm(folder, { recursive: true });
});

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Answer }> {
  const answer = await fetch(product.url + path, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}
type Answer = ReturnType<typeof JSON.parse>;

const user = { user_id: "ada", plan: "pro", company: { size: 50 }, tags: ["a"] };
const evaluate = async (feature_key: string, more: object = {}): Promise<Answer> =>
  (await call("POST", "/evaluate", { feature_key, user, ...more })).body;
const ready = async (): Promise<Answer> => (await call("GET", "/health/ready")).body;

async function create(key: string, steps: readonly object[], more: object = {}): Promise<void> {
  const { status, body } = await call("POST", "/features", { key, name: `Feature ${key}`, steps, ...more });
  expect([status, body.detail]).toEqual([201, undefined]);
}

/** Writes a plugin's files and has the server read them. */
async function plug(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  product.reload();
}

async function unplug(name: string): Promise<void> {
  await rm(join(folder, name));
  product.reload();
}

const zod = pathToFileURL(join(import.meta.dirname, "../../node_modules/zod/index.js")).href;
/** Serves what `./parts/word.mjs` says. */
const greeter = (id: string) => `
  import { z } from ${JSON.stringify(zod)};
  import { word } from "./parts/word.mjs";
  export const strategy = {
    id: "${id}", contract: 1, summary: "For tests: says a word", config: z.object({}),
    prepare: () => async () => ({ variant: word }),
  };`;
const word = (variant: string) => `export const word = "${variant}";`;
const rest = { id: "rest", strategy: "hash-bucketing", config: { arms: [{ variant: "on", weight: 100 }] } };

describe("plugins are added, upgraded and removed under load", () => {
  test("and no request is lost", async () => {
    expect((await ready()).status).toBe("ok");
    await plug({ "greeter.mjs": greeter("greeter"), "parts/word.mjs": word("hello") });
    await waitUntil(async () => (await call("GET", "/openapi.json")).body.components.schemas.GreeterConfig);
    const variants = { hello: "hello", ahoy: "ahoy", off: "", on: "." };
    await create("greeting", [{ id: "greet", strategy: "greeter" }, rest], { variants, type: "string" });

    const ofrep = (headers: Record<string, string>) =>
      fetch(`${product.url}/ofrep/v1/evaluate/flags`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ context: { targetingKey: "ada" } }),
      });
    const known = { "if-none-match": (await ofrep({})).headers.get("etag") ?? "" };
    expect((await ofrep(known)).status).toBe(304);

    const answers: Answer[] = [];
    let loading = true;
    const load = async () => {
      while (loading) answers.push(await call("POST", "/evaluate", { feature_key: "greeting", user }));
    };
    const clients = Promise.all([load(), load(), load(), load()]);
    const serves = (variant: string) => waitUntil(() => answers.at(-1)?.body.variant === variant);
    await serves("hello");
    // Only what it imports has changed.
    await plug({ "parts/word.mjs": word("ahoy") });
    await serves("ahoy");
    expect((await ofrep(known)).status, "what a client holds is out of date").toBe(200);
    await unplug("greeter.mjs");
    await serves("on");
    await plug({ "greeter.mjs": greeter("greeter"), "parts/word.mjs": word("hello") });
    await serves("hello");
    loading = false;
    await clients;

    expect([...new Set(answers.map(({ status }) => status))]).toEqual([200]);
    const told = answers.map(({ body }) => `${body.variant} ${body.fallback?.cause ?? "-"}`);
    const changes = told.filter((one, at) => one !== told[at - 1]);
    expect([...new Set(told)].toSorted()).toEqual(["ahoy -", "hello -", "on error"]);
    expect(changes.length, "four clients see each change once, give or take").toBeLessThan(20);
  });

  test("one that cannot be loaded changes nothing, and the log says why", async () => {
    await plug({ "broken.mjs": "export const strategy = {" });
    await waitUntil(() => product.stderr().includes("Reading the plugins again failed"));
    expect(product.stderr()).toContain("broken.mjs");
    expect((await evaluate("greeting")).variant).toBe("hello");
    await rm(join(folder, "broken.mjs"));
  });

  test("a feature whose plugin is gone says so, is listed by /health/ready, and can be switched off", async () => {
    await unplug("greeter.mjs");
    await waitUntil(async () => (await ready()).status === "degraded");
    const { status, features } = await ready();
    expect(status).toBe("degraded");
    const detail = expect.stringContaining('There is no strategy "greeter": is its plugin loaded?');
    expect(features).toEqual([
      { environment: "production", feature_key: "greeting", step: "greet", strategy: "greeter", detail },
    ]);
    expect(await evaluate("greeting", { explain: true })).toMatchObject({
      variant: "on",
      fallback: { from: "greet", cause: "error" },
      trace: { steps: [{ outcome: "failed", cause: "error", detail }, {}] },
    });
    const { body } = await call("GET", "/features/greeting");
    expect((await call("PUT", "/features/greeting", { ...body, enabled: false })).status).toBe(200);
    expect(await ready()).toMatchObject({ status: "ok", features: [] });
  });
});

describe("operators and bucketing algorithms of a plugin", () => {
  const odd = { attribute: "/company/size", op: "is_multiple_v1", value: 25 };
  const decide = (when: unknown) => ({
    id: "rules",
    strategy: "rule-filters",
    config: { rules: [{ when, variant: "on" }] },
  });
  const off = { ...rest, config: { arms: [{ variant: "off", weight: 100 }] } };
  const split = {
    id: "split",
    strategy: "hash-bucketing",
    config: {
      bucketing: { algorithm: "length-v1", seed: "s" },
      arms: [
        { variant: "on", weight: 50 },
        { variant: "off", weight: 50 },
      ],
    },
  };
  const tools = `
    export const operators = { is_multiple_v1: {
      summary: "Is a multiple of this", value: "a whole number, 1 or more",
      compile(value) {
        if (!Number.isInteger(value) || value < 1) throw new TypeError("must be a whole number, 1 or more");
        return (found) => typeof found === "number" && found % value === 0;
      } } };
    export const bucketing = { "length-v1": {
      summary: "By the length of the unit, for tests", prepare: () => (unit) => unit.length * 1000 } };`;

  test("are checked on write, and unknown ones refused with the known names", async () => {
    for (const [key, steps, field] of [
      ["unknown-when", [{ ...off, when: { all: [odd] } }], "steps.0.when.all.0.op"],
      ["unknown-rule", [decide({ not: odd })], "steps.0.config.rules.0.when.not.op"],
    ] as const) {
      const { status, body } = await call("POST", "/features", { key, name: key, steps });
      expect([status, body.detail.code, body.detail.field]).toEqual([422, "unknown_operator", field]);
      expect(body.detail.message).toMatch(/There is no operator "is_multiple_v1": use one of equals, .*not_exists/);
    }
    const segment = { key: "odd", name: "Odd", condition: odd };
    expect((await call("POST", "/segments", segment)).body.detail.field).toBe("condition.op");

    await plug({ "tools.mjs": tools });
    await waitUntil(async () => (await call("POST", "/segments", segment)).status === 201);
    const wrong = await call("POST", "/features", {
      key: "wrong",
      name: "Wrong",
      steps: [decide({ ...odd, value: 0 })],
    });
    expect(wrong.body.detail).toMatchObject({
      field: "steps.0.config.rules.0.when.value",
      message: expect.stringContaining("The value of is_multiple_v1 must be a whole number, 1 or more"),
    });
  });

  test("decide as the server's own do", async () => {
    await create("by-operator", [decide(odd), off]);
    await create("by-negation", [decide({ not: { ...odd, value: 7 } }), off]);
    await create(
      "by-segment",
      [{ ...rest, when: { segment: "odd" } }, off].map((step, at) => ({ ...step, id: `s${at}` })),
    );
    await create("by-split", [split, off]);
    for (const key of ["by-operator", "by-negation", "by-segment"])
      expect((await evaluate(key)).variant, key).toBe("on");
    expect(await evaluate("by-split")).toMatchObject({ variant: "on", step: "split", fallback: null });
    expect((await ready()).status).toBe("ok");
  });

  test("when they are gone, conditions are no match, splits fail, and both are told", async () => {
    await unplug("tools.mjs");
    await waitUntil(async () => (await ready()).status === "degraded");
    const { features } = await ready();
    const told = features.map(({ feature_key, step }: Answer) => `${feature_key} ${step}`);
    expect(told).toEqual(["by-operator rules", "by-negation rules", "by-segment s0", "by-split split"]);
    for (const key of ["by-operator", "by-negation", "by-segment"])
      expect(await evaluate(key), key).toMatchObject({ variant: "off", fallback: null });
    const { trace } = await evaluate("by-operator", { explain: true });
    expect(trace.steps[0].evidence.rules[0].when).toMatchObject({
      result: "missing",
      detail: 'There is no operator "is_multiple_v1": is its plugin loaded?',
    });
    expect(await evaluate("by-split", { explain: true })).toMatchObject({
      variant: "off",
      fallback: { from: "split", cause: "error" },
      trace: { steps: [{ detail: expect.stringContaining('There is no bucketing algorithm "length-v1"') }, {}] },
    });
    const { body } = await call("GET", "/features/by-operator");
    expect((await call("PUT", "/features/by-operator", { ...body, enabled: false })).status).toBe(200);
  });
});

describe("a plugin that fails is contained, and left alone after five times", () => {
  const sound = { id: "size", strategy: "rule-filters", config: { rules: [{ when: bigWithTags(), variant: "on" }] } };

  test.each([
    ["throw", "error"],
    ["hang", "timeout"],
    ["block", "timeout"],
    ["leak", "error"],
    ["mumble", "invalid_verdict"],
    ["lie", "invalid_verdict"],
  ])("%s: %s", async (does, cause) => {
    await create(`does-${does}`, [{ id: "plugin", strategy: "unsound", config: { does }, budget_ms: 50 }, sound]);
    await create(`beside-${does}`, [sound]);
    for (let time = 0; time < OPENS_AFTER; time += 1) {
      const [failing, beside] = await Promise.all([evaluate(`does-${does}`), evaluate(`beside-${does}`)]);
      expect(failing).toMatchObject({ variant: "on", step: "size", fallback: { from: "plugin", cause } });
      expect(beside).toMatchObject({ variant: "on", step: "size", fallback: null });
    }
    expect(await evaluate(`does-${does}`)).toMatchObject({ variant: "on", fallback: { cause: "open_circuit" } });
    expect(product.running()).toBe(true);
  });

  test("rewrite: what it does to its input, however deep, nobody else sees", async () => {
    await create("does-rewrite", [{ id: "plugin", strategy: "unsound", config: { does: "rewrite" } }, sound]);
    expect(await evaluate("does-rewrite")).toMatchObject({
      user_id: "ada",
      variant: "on",
      step: "size",
      fallback: { from: "plugin", cause: "low_confidence" },
    });
  });
});

/** True of the user only as it was sent. */
function bigWithTags() {
  return {
    all: [
      { attribute: "/company/size", op: "gte", value: 50 },
      { attribute: "/tags", op: "has_any", value: ["a"] },
      { attribute: "/user_id", op: "equals", value: "ada" },
    ],
  };
}
