/**
 * Builds the dashboard into server/dashboard/dist when its sources or the lock file have changed since the last time. Before
 * `npm start`, `npm test` and the like, so: plain JavaScript. The API works without it, so a failure is told and no more.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = join(root, "server", "dashboard");
const stamp = join(folder, "dist", ".sources");

const sources = hashOfSources();
if (sources !== stamped()) {
  try {
    const { build } = await import("vite");
    await build({ root: folder, logLevel: "warn" });
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, sources);
  } catch (error) {
    console.error(`Building the dashboard failed; the API works without it: ${error?.message ?? error}`);
  }
}

function hashOfSources() {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(folder, "dist")))
    .sort();
  for (const path of files) hash.update(path.slice(folder.length)).update(readFileSync(path));
  return hash.digest("hex");
}

function stamped() {
  try {
    return readFileSync(stamp, "utf8");
  } catch {
    return undefined;
  }
}
