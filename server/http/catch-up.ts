import type { Services } from "../services.ts";

/**
 * A client that heard of a revision from another server must not get an older one from this. What the client names is not
 * believed: one small query says whether there is anything to load.
 */
export async function catchUp(
  { snapshots, configuration }: Pick<Services, "snapshots" | "configuration">,
  environment: string,
  heard: number | undefined,
): Promise<void> {
  const current = () => snapshots.get(environment)?.revision ?? 0;
  if (heard === undefined || heard <= current() || snapshots.stale) return;
  const stored = await configuration.environments().catch(() => []);
  if (stored.some(({ key, revision }) => key === environment && revision > current()))
    await snapshots.refresh(environment);
}
