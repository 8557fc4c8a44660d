/** npm run serve: HTTP only. Run as many as you like on one database, beside any number of workers. */
import process from "node:process";
import { readConfig } from "./config.ts";
import { runProcess } from "./run-process.ts";
import { startBase, startHttp } from "./start.ts";

runProcess(async () => {
  const config = readConfig(process.env);
  const base = await startBase(config, process.env);
  const http = await startHttp(config, base).catch(async (error: unknown) => {
    await base.close();
    throw error;
  });
  process.stdout.write(`Adaptive Feature Flags serves at ${http.url} (no worker in this process: npm run work)\n`);
  return {
    reload: base.assembly.reloadPlugins,
    async close() {
      await http.close();
      await base.close();
    },
  };
});
