import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";

/** A file of the built dashboard. */
export interface DashboardFile {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Made when it is first asked for. */
  gzipped(): Uint8Array<ArrayBuffer>;
}

export interface DashboardFiles {
  /** The one page; undefined: the dashboard is not built. */
  readonly page: DashboardFile | undefined;
  /** By name. The names hold a hash of their content. */
  readonly assets: ReadonlyMap<string, DashboardFile>;
}

const DIST = new URL("../dashboard/dist/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Reads `server/dashboard/dist`, which `npm run build` makes, once and whole: no request ever names a path. */
export function readDashboard(folder = DIST): DashboardFiles {
  const page = new URL("index.html", folder);
  if (!existsSync(page)) return { page: undefined, assets: new Map() };
  const assets = new URL("assets/", folder);
  const names = readdirSync(assets).filter((name) => TYPES[extname(name)] !== undefined);
  return { page: readFile(page), assets: new Map(names.map((name) => [name, readFile(new URL(name, assets))])) };
}

function readFile(url: URL): DashboardFile {
  const plain = new Uint8Array(readFileSync(url));
  let gzipped: Uint8Array<ArrayBuffer> | undefined;
  return {
    type: TYPES[extname(url.pathname)] ?? "application/octet-stream",
    plain,
    gzipped: () => {
      gzipped ??= new Uint8Array(gzipSync(plain, { level: 9 }));
      return gzipped;
    },
  };
}
