import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Leaves in a compiled folder what its entries reach: modules by their imports, types by those of the declarations. The client's
 * types are those of the server's routes, and what only serves requests there would bring the whole server's types.
 *
 * @param entries compiled modules, relative to the folder: `server/client/client.js`
 */
export function prunePackage(folder: string, entries: readonly string[]): void {
  for (const file of globSync("server/http/**/*.d.ts", { cwd: folder })) {
    const path = join(folder, file);
    writeFileSync(path, withoutServing(readFileSync(path, "utf8")));
  }
  const types = entries.map((entry) => entry.replace(/\.js$/, ".d.ts"));
  const kept = new Set([...reached(folder, entries, ".js"), ...reached(folder, types, ".d.ts")]);
  for (const file of globSync("**/*.{js,d.ts}", { cwd: folder })) if (!kept.has(file)) rmSync(join(folder, file));
}

/** A route's declarations without its handlers, and without imports that only those needed. */
function withoutServing(declarations: string): string {
  const statements = declarations.split(/\n(?=(?:export|declare|import|type|interface|\/\*\*))/);
  const rest = statements.filter((text) => !/^export declare function /.test(text) && !/\bServices\b/.test(text));
  const used = rest.filter((text) => !text.startsWith("import ")).join("\n");
  const needed = rest.filter(
    (text) => !text.startsWith("import ") || namesIn(text).some((name) => mentions(used, name)),
  );
  // zod-openapi hands zod on, and clients have no routes.
  return needed.join("\n").replaceAll('"@hono/zod-openapi"', '"zod"');
}

/** `import { type A, B as C } from "x"` or `import type * as D from "x"`. */
function namesIn(text: string): readonly string[] {
  const [, names = ""] = /^import (?:type )?(?:\{|\* as )([^}"]*?)\}? from /.exec(text) ?? [];
  return names.split(",").map((name) =>
    name
      .trim()
      .replace(/^type /, "")
      .replace(/^.* as /, ""),
  );
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text);
}

function reached(folder: string, entries: readonly string[], extension: ".js" | ".d.ts"): ReadonlySet<string> {
  const found = new Set<string>();
  const next = [...entries];
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:\bfrom |\bimport |\bimport\()["'](\.[^"']+\.[jt]s)["']/g))
      next.push(join(dirname(file), path.replace(/\.[jt]s$/, extension)));
  }
  return found;
}
