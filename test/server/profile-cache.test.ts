import { describe, expect, test } from "vitest";
import type { Profile } from "../../core/event/profile.ts";
import { profileCache } from "../../server/profile-cache.ts";

const profile = (count: number): Profile => ({ view: { count, first_at: 0, last_at: 0, value_sum: 0 } });

/** A store whose reads are answered by hand, in any order. */
function store() {
  const reads: { userId: string; answer: (profile: Profile) => void; fail: () => void }[] = [];
  return {
    reads,
    read: (_: string, userId: string) =>
      new Promise<Profile>((answer, reject) => reads.push({ userId, answer, fail: () => reject(new Error("gone")) })),
  };
}

function setUp(options = {}) {
  const clock = { time: 0, now: () => clock.time };
  const stored = store();
  return { clock, stored, cache: profileCache(stored, clock, { budgetMs: 60_000, ...options }) };
}

describe("profileCache()", () => {
  test("reads a user once for all who ask at once, and then answers from memory until it is too old", async () => {
    const { clock, stored, cache } = setUp({ ttlMs: 1000 });
    expect(cache.peek("production", "ada")).toBeUndefined();
    const [first, second] = [cache.load("production", "ada"), cache.load("production", "ada")];
    expect(stored.reads.length).toBe(1);
    stored.reads[0]?.answer(profile(1));
    expect(await first).toEqual(profile(1));
    expect(await second).toEqual(profile(1));
    clock.time = 999;
    expect(cache.peek("production", "ada")).toEqual(profile(1));
    expect(cache.peek("staging", "ada")).toBeUndefined();
    clock.time = 1000;
    expect(cache.peek("production", "ada")).toBeUndefined();
    expect(cache.last("production", "ada")).toEqual(profile(1));
    expect(cache.last("production", "eve")).toBeUndefined();
  });

  test("answers undefined when the read takes too long or fails; what comes late is kept", async () => {
    const { stored, cache } = setUp({ budgetMs: 1 });
    expect(await cache.load("production", "slow")).toBeUndefined();
    const failing = cache.load("production", "bad");
    stored.reads[1]?.fail();
    expect(await failing).toBeUndefined();
    stored.reads[0]?.answer(profile(2));
    await Promise.resolve();
    expect(cache.peek("production", "slow")).toEqual(profile(2));
    expect(cache.peek("production", "bad")).toBeUndefined();
  });

  test("keeps nothing that was read before the user was forgotten", async () => {
    const { stored, cache } = setUp();
    const early = cache.load("production", "ada");
    cache.forget("production", ["ada", "bob"]);
    const late = cache.load("production", "ada");
    expect(stored.reads.length).toBe(2);
    stored.reads[1]?.answer(profile(2));
    expect(await late).toEqual(profile(2));
    stored.reads[0]?.answer(profile(1));
    expect(await early).toEqual(profile(1));
    expect(cache.peek("production", "ada")).toEqual(profile(2));
  });

  test("holds `max` profiles and lets the oldest go first", async () => {
    const { stored, cache } = setUp({ max: 2 });
    for (const userId of ["a", "b", "a2", "c"]) {
      const loaded = cache.load("production", userId);
      stored.reads.at(-1)?.answer(profile(1));
      await loaded;
    }
    expect(["a", "b", "a2", "c"].map((userId) => cache.peek("production", userId) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});
