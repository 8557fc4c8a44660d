import { isBuiltin } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser } from "../../support/browser.ts";
import { startTestServer } from "../../support/server.ts";

const root = join(import.meta.dirname, "../../..");
const builtins: string[] = [];
let code = "";
let imported: readonly string[];

beforeAll(async () => {
  const noting = {
    name: "noting",
    enforce: "pre" as const,
    resolveId(id: string, importer: string | undefined) {
      if (isBuiltin(id)) builtins.push(`${importer?.slice(root.length)} -> ${id}`);
      return null;
    },
  };
  const [bundle] = (await build({
    root,
    configFile: false,
    logLevel: "silent",
    plugins: [noting],
    build: {
      write: false,
      minify: true,
      lib: { entry: join(root, "server/client/local-evaluation.ts"), formats: ["es"], fileName: "local" },
    },
  })) as Rolldown.RolldownOutput[];
  const [chunk] = bundle?.output ?? [];
  code = chunk?.code ?? "";
  imported = [...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? [])];
}, 120_000);

describe("local evaluation in a browser", () => {
  test("is one script that imports nothing, and nothing of Node's", () => {
    expect(builtins).toEqual([]);
    expect(code).toContain("createLocalEvaluation");
    expect(imported).toEqual([]);
    // What engine, operators, models and schemas weigh.
    expect(gzipSync(code).length).toBeLessThan(200_000);
  });

  test.skipIf(chromiumPath === undefined)(
    "decides, hears of a change and reports",
    async () => {
      const server = await startTestServer({ settings: { CORS_ALLOWED_ORIGINS: "*" } });
      const feature = (rollout_percentage: number) => ({ key: "checkout", name: "Checkout", rollout_percentage });
      await server.client.createFeature(feature(0));
      const browser = await openBrowser();
      const page = await browser.newPage();
      const inPage = (script: string) => page.evaluate(`(async () => { ${script} })()`);
      const before = await inPage(`
        const { createLocalEvaluation } = await import(URL.createObjectURL(new Blob([${JSON.stringify(code)}], { type: "text/javascript" })));
        globalThis.local = createLocalEvaluation({ url: ${JSON.stringify(server.url)}, reportAfter: 10 });
        await local.ready();
        globalThis.changed = new Promise((resolve) => local.onChange(({ type }) => type === "changed" && resolve()));
        return (await local.evaluate("checkout", { user_id: "ada" })).variant;`);
      expect(before).toBe("off");
      await server.client.updateFeature("checkout", feature(100));
      const after = await inPage(`
        await changed;
        const { variant } = await local.evaluate("checkout", { user_id: "ada" });
        await local.close();
        return variant;`);
      expect(after).toBe("on");
      expect(await server.database.sql`select variant from exposures order by variant`).toEqual([
        { variant: "off" },
        { variant: "on" },
      ]);
      await browser.close();
      await server.close();
    },
    60_000,
  );
});
