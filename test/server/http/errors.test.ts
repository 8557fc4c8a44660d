import { OpenAPIHono } from "@hono/zod-openapi";
import { expect, test } from "vitest";
import { z } from "zod";
import { Conflict, Invalid, Overloaded, StaleVersion } from "../../../core/ports.ts";
import { answerError } from "../../../server/http/errors.ts";
import type { App, Env } from "../../../server/http/route.ts";

async function answerTo(error: Error) {
  const app: App = new OpenAPIHono<Env>();
  app.onError(answerError);
  app.get("/", () => {
    throw error;
  });
  const response = await app.request("/");
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

test("answerError() keeps internals in", async () => {
  const { status, body } = await answerTo(new Error("password of admin is hunter2"));
  expect([status, body]).toEqual([500, { detail: "Internal server error." }]);
});

test.each([
  [new Conflict("taken"), 409, { code: "conflict", message: "taken" }],
  [new StaleVersion(3, 2), 412, { code: "stale_version" }],
  [
    new Invalid("circle", "a circle", "/steps/0/a~1b"),
    422,
    { code: "circle", message: "a circle", field: "steps.0.a/b" },
  ],
  [new Overloaded("full"), 503, { code: "overloaded", message: "full" }],
  [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), 503, { code: "database_unavailable" }],
  [
    new AggregateError([Object.assign(new Error("connect"), { code: "ECONNREFUSED" })]),
    503,
    { code: "database_unavailable" },
  ],
])("answerError() turns %o into %i", async (error, status, detail) => {
  const answer = await answerTo(error);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ detail });
  expect(answer.headers.has("retry-after")).toBe(status === 503);
});

test("answerError() lists every field at fault, in unions too", async () => {
  const schema = z.strictObject({
    name: z.string().min(3),
    deep: z.object({ list: z.array(z.number()) }),
    either: z.union([z.string(), z.object({ value: z.number() })]),
  });
  const parsed = schema.safeParse({ name: "a", deep: { list: [1, "2"] }, either: { value: "x" }, extra: 1 });
  const { status, body } = await answerTo(parsed.error as z.ZodError);
  expect(status).toBe(422);
  expect(body.detail).toMatchObject({ code: "validation_error", field: "name" });
  expect(body.detail.message).toContain("3 more");
  expect(body.detail.errors.map(({ field }: { field: string }) => field)).toEqual([
    "name",
    "deep.list.1",
    "either.value",
    "extra",
  ]);
});
