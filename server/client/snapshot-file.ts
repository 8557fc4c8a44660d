import { readFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import type { SnapshotPersistence } from "./snapshot-feed.ts";

/** Keeps the last good snapshot in a file that only this user may read: it tells every rule. For Node and Deno. */
export function snapshotFile(path: string): SnapshotPersistence {
  return {
    load: () =>
      readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }),
    async save(text) {
      // Whole or not at all, also when several processes share the file.
      const next = `${path}.${process.pid}`;
      await writeFile(next, text, { mode: 0o600 });
      await rename(next, path);
    },
  };
}
