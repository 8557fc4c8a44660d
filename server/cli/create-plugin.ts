import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

/** The package this file is part of, installed or checked out. */
const PACKAGE = "adaptive-feature-flags";

export interface MadePlugin {
  /** Where it was made. */
  readonly folder: string;
  readonly files: readonly string[];
}

/**
 * Writes a plugin of that name into a new folder of `cwd`: a strategy with its schema, its test, a README and a
 * package.json. Plain JavaScript checked by its types, because Node runs no TypeScript from packages.
 *
 * @throws Error when the name is not kebab-case, or the folder exists
 */
export async function createPlugin(name: string, cwd: string): Promise<MadePlugin> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 50)
    throw new Error(`Cannot create the plugin "${name}": its name must be kebab-case, as in my-strategy`);
  const folder = join(cwd, name);
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (exists) throw new Error(`Cannot create the plugin in ${folder}: there is something. Choose another name`);
  const root = await ownRoot(import.meta.dirname);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  await mkdir(folder);
  const files = Object.entries(filesOf(name, version));
  for (const [file, text] of files) await writeFile(join(folder, file), text);
  await linkKit(folder, root);
  return { folder, files: files.map(([file]) => file) };
}

async function ownRoot(folder: string): Promise<string> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  if ((JSON.parse(text) as { name?: string }).name === PACKAGE) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error(`Cannot find the package ${PACKAGE} that this command is part of`);
  return ownRoot(above);
}

/** Where the kit cannot be imported yet, it is linked as `npm link` would, so that the tests run at once. */
async function linkKit(folder: string, root: string): Promise<void> {
  try {
    createRequire(join(folder, "package.json")).resolve(`${PACKAGE}/plugin-kit`);
  } catch {
    const modules = join(folder, "node_modules");
    await mkdir(modules);
    await symlink(relative(modules, root), join(modules, PACKAGE), "junction");
  }
}

function filesOf(name: string, version: string): Readonly<Record<string, string>> {
  const manifest = {
    name,
    version: "1.0.0",
    description: "A decision strategy for adaptive-feature-flags",
    type: "module",
    main: "strategy.js",
    files: ["strategy.js"],
    scripts: { test: "node --test" },
    dependencies: { [PACKAGE]: `^${version}` },
  };
  return {
    "strategy.js": strategyOf(name),
    "strategy.test.js": testOf(name),
    "package.json": `${JSON.stringify(manifest, null, 2)}\n`,
    "README.md": readmeOf(name),
  };
}

function strategyOf(name: string): string {
  return `// @ts-check
import { defineStrategy, z } from "${PACKAGE}/plugin-kit";

/** What a step may say; the server refuses the rest on write and shows this in its API document. */
const Config = z.strictObject({
  plans: z.array(z.string().min(1)).min(1).describe("Plans whose users get the variant"),
  variant: z.string().min(1).max(100),
});

export const strategy = defineStrategy({
  id: "${name}",
  contract: 1,
  summary: "Serves a variant to the users of some plans, and leaves the others to the next step",
  config: Config,
  variants: ({ variant }) => [variant],
  reads: () => ["/plan"],
  // Once per version of the feature: do here what takes time.
  prepare({ plans, variant }) {
    const wanted = new Set(plans);
    // For every decision: the same ask, the same verdict.
    return ({ user, explain }) => {
      const { plan } = user;
      const detail = explain ? { detail: \`The plan is \${JSON.stringify(plan)}\` } : {};
      if (typeof plan !== "string" || !wanted.has(plan)) return { abstain: "no_match", ...detail };
      return { variant, ...detail };
    };
  },
});
`;
}

function testOf(name: string): string {
  return `// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, describeStrategy } from "${PACKAGE}/plugin-kit";
import { strategy } from "./strategy.js";

const config = { plans: ["pro", "team"], variant: "on" };

// Every promise of the contract: purity, odd users, declared reads, a config that can be stored, ...
describeStrategy(strategy, { configs: [config], refused: [{}, { ...config, plans: [] }, { ...config, plan: "pro" }] });

test("${name}: serves the plans it names", async () => {
  assert.deepEqual(await ask(strategy, config, { plan: "pro" }), { variant: "on" });
  assert.deepEqual(await ask(strategy, config, { plan: "free" }), { abstain: "no_match" });
});
`;
}

function readmeOf(name: string): string {
  return `# ${name}

A decision strategy for [adaptive-feature-flags](https://www.npmjs.com/package/${PACKAGE}).

    npm test

Load it into a server with \`PLUGINS\`: this folder, or the package's name once it is installed there. Then give a feature the step

    { "id": "by-plan", "strategy": "${name}", "config": { "plans": ["pro"], "variant": "on" } }

- config \`plans\`: plans whose users get the variant; \`variant\`: one that the feature declares.
- Reads \`/plan\`. Whoever has none, or another, is left to the next step.
`;
}
