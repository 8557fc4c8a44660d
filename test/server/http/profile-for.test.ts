import { expect, test } from "vitest";
import { profileFor } from "../../../server/http/profile-for.ts";
import { profileCache } from "../../../server/profile-cache.ts";

test("profileFor() asks the database nothing while it is away, and decides with what was last read", async () => {
  const clock = { time: 0, now: () => clock.time };
  const reads: string[] = [];
  const read = async (_: string, userId: string) => {
    reads.push(userId);
    return { view: { count: reads.length, first_at: 0, last_at: 0, value_sum: 0 } };
  };
  const profiles = profileCache({ read }, clock, { ttlMs: 1000, budgetMs: 60_000 });
  const snapshots = { stale: false } as { stale: boolean } & Parameters<typeof profileFor>[0]["snapshots"];
  const ask = (userId: string) => profileFor({ profiles, snapshots }, "production", userId);

  expect(await ask("ada")).toMatchObject({ view: { count: 1 } });
  clock.time = 5000;
  snapshots.stale = true;
  expect(ask("ada")).toMatchObject({ view: { count: 1 } });
  expect(ask("eve")).toBeUndefined();
  expect(reads).toEqual(["ada"]);

  snapshots.stale = false;
  expect(await ask("ada")).toMatchObject({ view: { count: 2 } });
  expect(ask("ada")).toMatchObject({ view: { count: 2 } });
});

test("profileFor() waits longer where somebody asks for the reasons", async () => {
  const stored = Promise.withResolvers<Record<string, never>>();
  const profiles = profileCache({ read: () => stored.promise }, { now: () => 0 }, { budgetMs: 1 });
  const services = { profiles, snapshots: { stale: false } as Parameters<typeof profileFor>[0]["snapshots"] };
  const explained = profileFor(services, "production", "ada", { explain: true });
  expect(await profileFor(services, "production", "ada")).toBeUndefined();
  stored.resolve({});
  expect(await explained).toEqual({});
});
