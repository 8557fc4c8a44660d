#!/usr/bin/env node
/** npx adaptive-feature-flags create-plugin NAME: what the installed package can do at the command line. */
import process from "node:process";
import { createPlugin } from "./create-plugin.ts";

const USAGE = "Usage: adaptive-feature-flags create-plugin NAME   (kebab-case; made in ./NAME)";
const [command, name, ...rest] = process.argv.slice(2);

try {
  if (command !== "create-plugin" || name === undefined || rest.length > 0) throw new Error(USAGE);
  const { folder, files } = await createPlugin(name, process.cwd());
  console.log(`Made ${folder} with ${files.join(", ")}

  cd ${name} && npm test                  its tests pass at once: now change strategy.js, and they tell what broke
  PLUGINS=${folder} npm start             in the server's folder: features may now use the strategy "${name}"`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
