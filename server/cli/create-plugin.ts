import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

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
  const files = Object.entries(await filesOf(name, version));
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
    await symlink(root, join(modules, PACKAGE), "junction");
  }
}

const TEMPLATE = join(import.meta.dirname, "plugin-template");
/** What the template calls itself. */
const PLACEHOLDER = "my-strategy";

async function filesOf(name: string, version: string): Promise<Readonly<Record<string, string>>> {
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
  const templates = ["strategy.js", "strategy.test.js", "README.md"].map(async (file) => {
    const text = await readFile(join(TEMPLATE, file), "utf8");
    return [file, text.replaceAll(PLACEHOLDER, name)] as const;
  });
  return {
    ...Object.fromEntries(await Promise.all(templates)),
    "package.json": `${JSON.stringify(manifest, null, 2)}\n`,
  };
}
