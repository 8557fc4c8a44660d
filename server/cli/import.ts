/**
 * npm run import -- --adapter ecommerce_dataset|generic --source NAME FILE: streams a CSV file of any size to a running server.
 * Running it again after an interruption stores nothing twice.
 */
import { createReadStream, createWriteStream, type WriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import process from "node:process";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { progress } from "@clack/prompts";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Adapter, RowFault } from "../import/adapter.ts";
import { csvEvents } from "../import/csv-events.ts";
import { ecommerceAdapter } from "../import/ecommerce-adapter.ts";
import { genericAdapter, parseMapping } from "../import/generic-adapter.ts";
import { type ImportTotals, importFile } from "../import/import-file.ts";
import { sendEvents } from "../import/send-events.ts";

interface Options {
  readonly adapter: "ecommerce_dataset" | "generic";
  readonly mapping?: string;
  readonly source: string;
  readonly url: string;
  readonly environment?: string;
  readonly token?: string;
  readonly featureKeyMode: "item" | "single";
  readonly zone?: "UTC";
  readonly delimiter: string;
  readonly batchSize: number;
  readonly retryFor: number;
  readonly rejects?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const SHOWN_REJECTS = 20;

const command = new Command("npm run import --")
  .description("Stream a CSV file (or .csv.gz, or - for standard input) of events to a running server.")
  .argument("<file>", "the file; - reads standard input")
  .addOption(
    new Option("--adapter <name>", "how rows become events")
      .choices(["ecommerce_dataset", "generic"])
      .makeOptionMandatory(),
  )
  .requiredOption("--source <name>", "where the events come from; kept with each of them, and part of their ids")
  .option(
    "--mapping <fields>",
    "generic: user_id=column,feature_key=:constant,event_type=column,timestamp=column,properties=a|b:renamed",
  )
  .addOption(
    new Option("--feature-key-mode <mode>", "ecommerce_dataset: a feature for each item, or a single one")
      .choices(["item", "single"])
      .default("item"),
  )
  .addOption(new Option("--zone <zone>", "generic: what times without a zone mean").choices(["UTC"]))
  .option("--url <url>", "the server", "http://127.0.0.1:8000")
  .option("--environment <key>", "default: production")
  .addOption(new Option("--token <token>", "bearer token, when the server asks for one").env("IMPORT_TOKEN"))
  .option("--delimiter <character>", "between columns", ",")
  .option("--batch-size <events>", "events to a request, 1 to 5000", wholeNumber(1, 5000), 5000)
  .option("--retry-for <seconds>", "how long to wait for a server that does not answer", wholeNumber(0, 86_400), 120)
  .option("--rejects <file>", "write every rejected row's line and reason to this CSV file")
  .option("--strict", "exit with 1 when a row was rejected")
  .option("--json", "print the summary as JSON");

command.parse();
const [file] = command.processedArgs as [string];
try {
  process.exitCode = await run(file, command.opts<Options>());
} catch (error) {
  console.error(`The import stopped: ${(error as Error).message}`);
  console.error("Run the same command again to go on: what is stored already is not stored twice.");
  process.exitCode = 1;
}

async function run(file: string, options: Options): Promise<number> {
  const { source, url, environment, token } = options;
  const adapter = adapterOf(options);
  const { input, read, size } = await openFile(file);
  const rejects = rejectLog(options.rejects);
  const shown = display(options, size);
  const send = { url, source, environment, token, retryFor: options.retryFor * 1000, onRetry: shown.retry };
  try {
    const totals = await importFile(csvEvents(input, adapter, { delimiter: options.delimiter }), {
      batchSize: options.batchSize,
      send: (events) => sendEvents(events, send),
      onReject: rejects.add,
      onProgress: (totals) => shown.update(totals, read()),
    });
    shown.end(totals);
    await rejects.end();
    if (options.json)
      console.log(
        JSON.stringify({
          source,
          rows: totals.rows,
          saved_events: totals.saved,
          duplicates: totals.duplicates,
          rejected: totals.rejected,
        }),
      );
    return options.strict && totals.rejected > 0 ? 1 : 0;
  } catch (error) {
    shown.fail();
    await rejects.end();
    throw error;
  } finally {
    input.destroy();
  }
}

function adapterOf({ adapter, mapping, featureKeyMode, source, zone }: Options): Adapter {
  if (adapter === "ecommerce_dataset") return ecommerceAdapter({ mode: featureKeyMode, source });
  if (mapping === undefined)
    throw new Error("--adapter generic needs --mapping user_id=...,feature_key=...,event_type=...,timestamp=...");
  return genericAdapter(parseMapping(mapping), { source, utc: zone === "UTC" });
}

/** `read` says how many bytes were taken so far; `size` is undefined for standard input. */
async function openFile(file: string): Promise<{ input: Readable; read: () => number; size: number | undefined }> {
  if (file === "-") return { input: process.stdin, read: () => 0, size: undefined };
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new Error(`There is no file ${file}`);
  const input = createReadStream(file);
  return { input, read: () => input.bytesRead, size: found.size };
}

/** The first rejects go to standard error, all of them to the file, if there is one. */
function rejectLog(path: string | undefined) {
  const file: WriteStream | undefined = path === undefined ? undefined : createWriteStream(path);
  file?.write("line,code,field,message\n");
  let count = 0;
  return {
    add(line: number, { code, field, message }: RowFault) {
      count++;
      file?.write(`${line},${code},${field ?? ""},"${message.replaceAll('"', '""')}"\n`);
      if (count <= SHOWN_REJECTS)
        console.error(`Line ${line} rejected: ${field ? `${field} ` : ""}${message} (${code})`);
    },
    async end() {
      const hidden = count - SHOWN_REJECTS;
      if (hidden > 0)
        console.error(
          `... and ${hidden} more rejected; ${path === undefined ? "--rejects FILE keeps all" : `all are in ${path}`}`,
        );
      if (file === undefined) return;
      file.end();
      await finished(file);
    },
  };
}

/** A bar on a terminal, a line every tenth of the file (or every 100,000 rows) elsewhere; with --json on standard error. */
function display({ json }: Options, size: number | undefined) {
  const summary = ({ rows, saved, duplicates, rejected }: ImportTotals) =>
    `${rows} rows: ${saved} events stored, ${duplicates} were stored before, ${rejected} rejected`;
  const say = (text: string) => (json ? console.error(text) : console.log(text));
  if (process.stdout.isTTY && size !== undefined && !json) {
    const bar = progress({ max: size });
    let at = 0;
    bar.start("Importing");
    return {
      update(totals: ImportTotals, read: number) {
        bar.advance(read - at, summary(totals));
        at = read;
      },
      retry: (why: string) => bar.message(`${why}; trying again`),
      end: (totals: ImportTotals) => bar.stop(summary(totals)),
      fail: () => bar.error("Stopped"),
    };
  }
  let step = 0;
  return {
    update(totals: ImportTotals, read: number) {
      const now = size === undefined ? Math.floor(totals.rows / 100_000) : Math.floor((10 * read) / size);
      if (now === step) return;
      step = now;
      say(size === undefined ? summary(totals) : `${now * 10} % of the file, ${summary(totals)}`);
    },
    retry: (why: string) => console.error(`${why}; trying again`),
    end: (totals: ImportTotals) => say(`Done. ${summary(totals)}`),
    fail: () => {},
  };
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= low && number <= high) return number;
    throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
  };
}
