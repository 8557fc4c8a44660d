import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `holds` answers true; an exception counts as no. Throws, with the last one, after `ms`. */
export async function waitUntil(holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  let cause: unknown;
  do {
    try {
      if (await holds()) return;
    } catch (error) {
      cause = error;
    }
    await sleep(10);
  } while (performance.now() < end);
  throw new Error(`Still not so after ${ms} ms: ${holds}`, { cause });
}
