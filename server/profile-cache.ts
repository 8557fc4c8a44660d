import type { Profile } from "../core/event/profile.ts";
import type { Clock, ProfileStore } from "../core/ports.ts";
import type { ProfileCache } from "./services.ts";

export interface ProfileCacheOptions {
  /** Profiles kept; the one read longest ago leaves first. Default 100,000. */
  readonly max?: number;
  /** How long a profile may be served before it is read again, so that other processes' events arrive. Default 30,000. */
  readonly ttlMs?: number;
  /** How long `load` may take. Default 20. */
  readonly budgetMs?: number;
}

interface Entry {
  readonly profile: Profile;
  readonly readAt: number;
}

/** Bounded, in memory. Concurrent misses of one user share a read; a read that comes too late still fills the cache. */
export function profileCache(
  store: ProfileStore,
  clock: Clock,
  { max = 100_000, ttlMs = 30_000, budgetMs = 20 }: ProfileCacheOptions = {},
): ProfileCache {
  /** Oldest read first: a Map keeps the order of insertion. */
  const entries = new Map<string, Entry>();
  const reading = new Map<string, Promise<Profile | undefined>>();

  function read(environment: string, userId: string, key: string): Promise<Profile | undefined> {
    const readAt = clock.now();
    const pending = store.read(environment, userId).then(
      (profile) => {
        // Shared by all who read it, third-party strategies too.
        for (const aggregate of Object.values(profile)) Object.freeze(aggregate);
        Object.freeze(profile);
        // Forgotten while it was read: it may be from before the events that were acknowledged since.
        if (reading.get(key) === pending) remember(key, { profile, readAt });
        return profile;
      },
      () => undefined,
    );
    reading.set(key, pending);
    void pending.then(() => {
      if (reading.get(key) === pending) reading.delete(key);
    });
    return pending;
  }

  function remember(key: string, entry: Entry): void {
    entries.delete(key);
    if (entries.size >= max) entries.delete(entries.keys().next().value as string);
    entries.set(key, entry);
  }

  return {
    peek(environment, userId) {
      const entry = entries.get(keyOf(environment, userId));
      return entry !== undefined && clock.now() - entry.readAt < ttlMs ? entry.profile : undefined;
    },
    last: (environment, userId) => entries.get(keyOf(environment, userId))?.profile,
    load(environment, userId, budget = budgetMs) {
      const key = keyOf(environment, userId);
      return within(budget, reading.get(key) ?? read(environment, userId, key));
    },
    forget(environment, userIds) {
      for (const userId of userIds) {
        const key = keyOf(environment, userId);
        entries.delete(key);
        reading.delete(key);
      }
    },
  };
}

function keyOf(environment: string, userId: string): string {
  return `${environment}\0${userId}`;
}

function within<T>(budgetMs: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, budgetMs, undefined);
    void work.then((value) => {
      clearTimeout(late);
      resolve(value);
    });
  });
}
