/** npm run work: background jobs only; npm start (--serve): HTTP as well, in the same process. Any number on one database. */
import process from "node:process";
import { readConfig } from "../server/config.ts";
import { runProcess, type Stoppable } from "../server/run-process.ts";
import { startBase, startHttp } from "../server/start.ts";
import { startWorker } from "./runner.ts";
import { trainingPorts } from "./training-ports.ts";

const serve = process.argv.includes("--serve");

runProcess(async () => {
  const config = readConfig(process.env);
  const opened: Stoppable[] = [];
  /** Newest first: no more requests, no more jobs, then what is buffered is written and the database closed. */
  const close = async () => {
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const base = await startBase(config, process.env);
    opened.push(base);
    const { databaseUrl, assembly } = base;
    const { sql, services } = assembly;
    const { clock, metrics } = services;
    const training = trainingPorts({ databaseUrl, sql, clock, metrics, settings: config });
    const worker = await startWorker({
      ...{ databaseUrl, sql, clock, training, metrics, strategies: services.strategies },
      positive_event_types: config.POSITIVE_EVENT_TYPES,
    });
    opened.push({ close: () => worker.stop() });
    if (serve) {
      const http = await startHttp(config, base);
      opened.push(http);
      process.stdout.write(`Adaptive Feature Flags is ready at ${http.url}\n`);
    } else process.stdout.write("Adaptive Feature Flags works on background jobs\n");
    return { close, reload: assembly.reloadPlugins };
  } catch (error) {
    await close();
    throw error;
  }
});
