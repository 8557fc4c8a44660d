import { expect, test } from "vitest";
import { z } from "zod";
import { check } from "../../../server/http/body.ts";

test("check() names a field that was left out as missing, and one of another type by what came", () => {
  const schema = z.object({ name: z.string(), user: z.object({ user_id: z.string() }) });
  expect(() => check(schema, { name: "ada" })).toThrow("user: is missing; give an object");
  expect(() => check(schema, { name: "ada", user: {} })).toThrow("user.user_id: is missing; give a string");
  expect(() => check(schema, { name: 5, user: { user_id: "a" } })).toThrow("expected string, received number");
});
