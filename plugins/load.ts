import { registerHooks } from "node:module";
import { findModules, isPath } from "./find-modules.ts";
import { gatherPlugins, type Plugins } from "./gather-plugins.ts";

/**
 * Loads third-party plugins: a path (`./mine.ts`, `./plugins`, `/opt/mine.ts`) from `cwd`, anything else as the name of an
 * installed package. Throws an Error that names the specifier, what was found there and what would work.
 *
 * @param edition another one reads every module anew, also those it imports by a relative path. Default: what is known
 */
export async function loadPlugins(specifiers: readonly string[], cwd: string, edition = 0): Promise<Plugins> {
  const modules: { name: string; module: unknown }[] = [];
  for (const specifier of specifiers) modules.push(...(await load(specifier, cwd, edition)));
  return gatherPlugins(modules);
}

async function load(specifier: string, cwd: string, edition: number): Promise<{ name: string; module: unknown }[]> {
  const loaded: { name: string; module: unknown }[] = [];
  let at = specifier;
  try {
    for (const { name, url } of await findModules(specifier, cwd)) {
      at = name;
      loaded.push({ name, module: await import(edition === 0 ? url : inEdition(url, edition)) });
    }
    return loaded;
  } catch (error) {
    const where = isPath(specifier) ? `from ${cwd}` : "as a package (a path starts with ./)";
    throw new Error(`Cannot load plugin "${at}" ${where}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The message; of a syntax error also the place, which Node puts before the stack only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error instanceof SyntaxError && error.stack?.split(/\n\s+at /)[0]) || error.message;
}

const EDITION = "edition";

/** A module is kept for ever by its address, so another edition of it is another address. */
function inEdition(url: string, edition: number): string {
  follow();
  return `${url}?${EDITION}=${edition}`;
}

let following = false;

/** What a plugin imports by a relative path is of the plugin's edition, or old and new files would be mixed. */
function follow(): void {
  if (following) return;
  following = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const edition = /[?&]edition=(\d+)$/.exec(context.parentURL ?? "")?.[1];
      return edition === undefined || !specifier.startsWith(".")
        ? found
        : { ...found, url: `${found.url}?${EDITION}=${edition}` };
    },
  });
}
