/**
 * Installs what is missing before `npm start`, `npm test` and the like: `npm ci` when node_modules is not what
 * package-lock.json asks for. Runs on the host's own Node (20 or newer) with nothing installed, so: plain JavaScript, no
 * dependencies. `--dev` also wants what the tests need.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const modules = join(root, "node_modules");
const stampFile = join(modules, ".installed.json");
const dev = process.argv.includes("--dev");
const lockText = readFileSync(join(root, "package-lock.json"), "utf8");
const wanted = createHash("sha256").update(lockText).digest("hex");
// Outside node_modules, because `npm ci` deletes that.
const checkout = createHash("sha256").update(root).digest("hex").slice(0, 16);
const busyFile = join(tmpdir(), `adaptive-feature-flags-install-${process.getuid?.() ?? 0}-${checkout}.lock`);

try {
  // While somebody installs, node_modules may look complete and be gone the next moment.
  if (existsSync(busyFile) || !isUpToDate()) await alone(() => isUpToDate() || install());
  requireNode24();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

/** By our stamp; without one (somebody ran npm by hand), by npm's own record of what it installed. */
function isUpToDate() {
  const stamp = readJson(stampFile);
  if (stamp?.lock === wanted && (stamp.dev || !dev)) return true;
  if (!matchesLock()) return false;
  try {
    writeStamp();
  } catch {
    // Installed by another user: right all the same, only found out anew each time.
  }
  return true;
}

function matchesLock() {
  const installed = readJson(join(modules, ".package-lock.json"))?.packages;
  if (installed === undefined) return false;
  return Object.entries(JSON.parse(lockText).packages).every(([path, entry]) => {
    const found = installed[path];
    if (found !== undefined)
      return found.version === entry.version && (found.integrity === entry.integrity || !entry.integrity);
    return path === "" || entry.optional || entry.devOptional || (entry.dev && !dev);
  });
}

function install() {
  requireWritable();
  console.error(`Installing dependencies${dev ? ", with those of the tests" : ""} (npm ci) ...`);
  const started = Date.now();
  const { command, prefix } = npm();
  const args = ["ci", dev ? "--include=dev" : "--omit=dev", "--include=optional", "--no-audit", "--no-fund"];
  const { status, signal, error } = spawnSync(command, [...prefix, ...args, "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0)
    throw new Error(
      `Installing dependencies failed (npm ci: ${error?.message ?? signal ?? `exit code ${status}`}); npm's own message is above.
It needs package-lock.json as it was committed and a registry it can reach: \`npm ping\` tells, \`npm config get registry\`
names it. Then run the same command again; nothing that was half-done is kept.`,
    );
  writeStamp();
  console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

function writeStamp() {
  writeFileSync(stampFile, JSON.stringify({ lock: wanted, dev }));
}

/** The npm that runs us, on the Node that runs it: the one in node_modules is about to be replaced. */
function npm() {
  const script = process.env.npm_execpath;
  if (script === undefined || !/\.c?js$/.test(script)) return { command: "npm", prefix: [] };
  return { command: process.env.npm_node_execpath ?? process.execPath, prefix: [script] };
}

function requireWritable() {
  for (const path of [root, modules]) {
    if (!existsSync(path)) continue;
    try {
      accessSync(path, constants.W_OK);
    } catch {
      const command = `npm ci${dev ? "" : " --omit=dev"}`;
      throw new Error(
        `The dependencies in ${modules} are ${existsSync(modules) ? "not those of package-lock.json" : "missing"}, and ${userName()} may not write to ${path} (it belongs to user ${statSync(path).uid}).
Run \`${command}\` there once as its owner, or work in a clone of your own.`,
      );
    }
  }
}

/** The server's files are TypeScript, which Node runs as it is from version 24. */
function requireNode24() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return;
  if (existsSync(join(modules, ".bin", process.platform === "win32" ? "node.cmd" : "node"))) return;
  throw new Error(
    `This is Node ${process.versions.node}, the server needs Node 24, and npm has none for ${process.platform}-${process.arch} among its packages: install Node 24 and run the same command again.`,
  );
}

/** One installation of this checkout at a time. */
async function alone(work) {
  while (!claim()) await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    work();
  } finally {
    rmSync(busyFile, { force: true });
  }
}

/** False while a living process installs. */
function claim() {
  try {
    writeFileSync(busyFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const holder = Number(readText(busyFile));
  // 0: just created and not yet filled in. NaN: removed again.
  if (holder > 0 && !isAlive(holder)) rmSync(busyFile, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function userName() {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}
