import type { Snapshot } from "../../core/engine/snapshot.ts";
import type { Profile } from "../../core/event/profile.ts";
import type { Services } from "../services.ts";

const EXPLAIN_MS = 1_000;

/**
 * The profile to decide with: from memory at once, else read within its budget. While the database is away nothing is
 * asked of it: the questions would queue, and be in the way of others when it is back.
 *
 * @param options.explain somebody waits for the reasons, and a database that is slow for a moment would not be the one meant
 */
export function profileFor(
  { profiles, snapshots }: Pick<Services, "profiles" | "snapshots">,
  environment: string,
  userId: string,
  { explain = false }: { explain?: boolean } = {},
): Profile | undefined | Promise<Profile | undefined> {
  if (snapshots.stale) return profiles.last(environment, userId);
  return profiles.peek(environment, userId) ?? profiles.load(environment, userId, explain ? EXPLAIN_MS : undefined);
}

/** Whether any of these features (undefined: all) is decided by what is known of the user's past. */
export function wantsProfile({ features }: Snapshot, keys: readonly string[] | undefined): boolean {
  if (keys !== undefined) return keys.some((key) => features.get(key)?.profile);
  for (const { profile } of features.values()) if (profile) return true;
  return false;
}
