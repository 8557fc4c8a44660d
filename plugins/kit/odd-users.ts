import type { User } from "../../core/strategy.ts";

/** Users as they really come in: without anything, with the wrong types, with names that mean something to JavaScript. */
export const ODD_USERS: readonly User[] = [
  {},
  { user_id: "user-1" },
  { user_id: "" },
  { user_id: "Zoë" },
  { user_id: "日本\ud83d\ude00" },
  { user_id: "\ud800" },
  { user_id: "x".repeat(10_000) },
  ...[0, -1, 1e300, true, false, null, [], {}, [[]], { user_id: "nested" }].map(
    (odd) => ({ user_id: odd, plan: odd, age: odd, country: odd, company: odd }) as unknown as User,
  ),
  { user_id: "user-2", plan: "pro", age: 30, country: "DE", company: { size: 50, tags: ["a", "b"] } },
  JSON.parse('{"__proto__":{"plan":"pro"},"constructor":"x","toString":1,"hasOwnProperty":null}'),
];
