import type { Snapshot } from "../../core/engine/snapshot.ts";
import type { Profile } from "../../core/event/profile.ts";
import type { Services } from "../services.ts";

/**
 * The profile to decide with: from memory at once, else read within its budget. While the database is away nothing is
 * asked of it: the questions would queue, and be in the way of others when it is back.
 */
export function profileFor(
  { profiles, snapshots }: Pick<Services, "profiles" | "snapshots">,
  environment: string,
  userId: string,
): Profile | undefined | Promise<Profile | undefined> {
  if (snapshots.stale) return profiles.last(environment, userId);
  return profiles.peek(environment, userId) ?? profiles.load(environment, userId);
}

/** Whether any of these features (undefined: all) is decided by what is known of the user's past. */
export function wantsProfile({ features }: Snapshot, keys: readonly string[] | undefined): boolean {
  if (keys !== undefined) return keys.some((key) => features.get(key)?.profile);
  for (const { profile } of features.values()) if (profile) return true;
  return false;
}
