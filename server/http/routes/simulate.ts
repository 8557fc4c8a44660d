import { createReadStream, ReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createRoute, z } from "@hono/zod-openapi";
import { experimentArm } from "../../../core/engine/experiment-arm.ts";
import type { FeatureDefinition } from "../../../core/feature/feature.ts";
import { FeatureKey, FeatureWrite } from "../../../core/feature/feature-write.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import type { Author, NewEvent } from "../../../core/ports.ts";
import { isLoopback } from "../../config.ts";
import { MissingColumns } from "../../import/adapter.ts";
import { csvEvents } from "../../import/csv-events.ts";
import { ecommerceAdapter } from "../../import/ecommerce-adapter.ts";
import { importEvents } from "../../import/import-events.ts";
import { openCsvUrl, UnreadableUrl } from "../../import/open-csv-url.ts";
import type { Services } from "../../services.ts";
import { AuthorHeaders, authorOf } from "../author.ts";
import { check } from "../body.ts";
import { answerError, HttpError } from "../errors.ts";
import { EVENT_STREAM, eventStream } from "../event-stream.ts";
import { progressStream, type Work } from "../progress-stream.ts";
import { type Form, readForm } from "../read-form.ts";
import { type App, json, on, type RouteContext } from "../route.ts";
import { INGEST_EVENTS } from "./events.ts";

const TRUTHY = ["true", "1", "yes", "on"];
const FALSY = ["false", "0", "no", "off"];
const Flag = z.stringbool({ truthy: TRUTHY, falsy: FALSY }).meta({ enum: [...TRUTHY, ...FALSY] });

const Options = z.strictObject({
  csv_url: z.string().min(1).max(2000).optional().describe("http or https; instead of csv_file"),
  feature_key_mode: z
    .enum(["item", "single"])
    .default("item")
    .describe("item: one feature an item (item_<itemid>); single: all events belong to dataset_import"),
  limit: z.coerce.number().int().min(1).optional().describe("Rows read at most. Default: all"),
  batch_size: z.coerce.number().int().min(1).max(INGEST_EVENTS).default(1000).describe("Rows to a transaction"),
  sync_features: Flag.default(true).describe("Create the features that do not exist yet"),
  feature_rollout_percentage: z.coerce.number().min(0).max(100).default(0).describe("Of the features it creates"),
  feature_ml_enabled: Flag.default(false).describe("Of the features it creates"),
});
type Options = z.infer<typeof Options>;

const SimulateRequest = Options.extend({
  csv_file: z
    .string()
    .optional()
    .meta({ format: "binary", description: "Columns timestamp (epoch ms), visitorid, event, itemid, transactionid?" }),
}).meta({ id: "SimulateRequest" });

const SimulateAnswer = z
  .object({
    source_type: z.enum(["csv_file", "csv_url"]),
    source_value: z.string().describe("The file's name, or the address"),
    feature_key_mode: z.enum(["item", "single"]),
    sync_features: z.boolean(),
    raw_rows_processed: z.int(),
    normalized_rows: z.int().describe("Rows that made a valid event"),
    inserted_rows: z.int().describe("Of these, newly stored: importing a file again stores nothing twice"),
    features_auto_created: z.int(),
    rejected_rows: z.int(),
    rejects: z
      .array(z.object({ line: z.int(), code: z.string(), message: z.string(), field: z.string().optional() }))
      .describe("The first 100"),
  })
  .meta({ id: "SimulateAnswer" });
export type ImportAnswer = z.infer<typeof SimulateAnswer>;

const requestExample = {
  csv_file: "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n",
  feature_key_mode: "item",
  limit: 100000,
};
const answerExample = {
  source_type: "csv_file",
  source_value: "events.csv",
  feature_key_mode: "item",
  sync_features: true,
  raw_rows_processed: 1,
  normalized_rows: 1,
  inserted_rows: 1,
  features_auto_created: 1,
  rejected_rows: 0,
  rejects: [],
};

const Progress = SimulateAnswer.pick({
  raw_rows_processed: true,
  normalized_rows: true,
  inserted_rows: true,
  rejected_rows: true,
})
  .extend({
    bytes_read: z.number().nullable().describe("Of the file as it was sent; null: not known, as of an address"),
    bytes_total: z.number().nullable(),
  })
  .meta({ id: "SimulateProgress" });
export type ImportProgress = z.infer<typeof Progress>;

const streamExample = `event: progress
data: {"raw_rows_processed":1000,"normalized_rows":998,"inserted_rows":998,"rejected_rows":2,"bytes_read":65536,"bytes_total":2097152}

event: done
data: ${JSON.stringify(answerExample)}

`;

const simulate = createRoute({
  method: "post",
  path: "/simulate",
  operationId: "importEvents",
  tags: ["events"],
  summary: "Import a shop's log from CSV",
  description:
    "A file of any size up to 2 GB, plain or gzip, stored batch by batch. Answers when all of it is durable. Safe to repeat. With `Accept: text/event-stream` it answers 200 as soon as the file is there: `progress` after each batch (raw_rows_processed, normalized_rows, inserted_rows, rejected_rows, bytes_read, bytes_total), then `done` with what would have been the answer, or `failed` with what would have been the error. Closing the stream ends the import; what was stored stays.",
  request: {
    headers: AuthorHeaders,
    body: { required: true, content: { "multipart/form-data": { schema: SimulateRequest, example: requestExample } } },
  },
  responses: {
    200: eventStream(streamExample),
    201: json(SimulateAnswer, "What was imported and what was not", answerExample),
  },
});

/** `POST /simulate`: CSV into events, and a feature for each new feature key. */
export function simulateRoutes(
  app: App,
  services: Pick<Services, "clock" | "config" | "events" | "features" | "snapshots" | "strategies">,
): void {
  const { clock, config, events, features, snapshots, strategies } = services;

  on(app, simulate, async (c) => {
    if (!c.req.header("accept")?.includes("text/event-stream"))
      return c.json(await run(c, { tell: () => {}, signal: c.req.raw.signal }), 201);
    const form = await readForm(c);
    const refuse = (error: Error) => answerError(error, c).text();
    const told = progressStream((work) => run(c, work, form), refuse);
    return c.body(told, 200, EVENT_STREAM);
  });

  async function run(c: RouteContext, { tell, signal }: Work, read?: Form): Promise<ImportAnswer> {
    const environment = c.get("environment");
    await using form = read ?? (await readForm(c));
    const options = check(Options, form.fields);
    const source = sourceOf(form, options);
    const creator = options.sync_features ? featureCreator(environment, options, authorOf(c)) : undefined;
    const adapter = ecommerceAdapter({ mode: options.feature_key_mode, source: "simulate" });
    const input = await open(source, signal);
    signal.addEventListener("abort", () => input.destroy());
    const bytes_total = source.type === "csv_file" ? (await stat(source.path)).size : null;
    try {
      const summary = await importEvents(csvEvents(input, adapter), {
        now: () => clock.now(),
        batchSize: options.batch_size,
        limit: options.limit ?? Number.POSITIVE_INFINITY,
        store: (batch) => store(environment, batch, creator),
        onProgress: (soFar) => {
          const bytes_read = input instanceof ReadStream ? input.bytesRead : null;
          tell({ ...soFar, bytes_read, bytes_total } satisfies ImportProgress);
        },
      });
      if (creator !== undefined && creator.created > 0) await snapshots.refresh(environment);
      return {
        source_type: source.type,
        source_value: source.value,
        feature_key_mode: options.feature_key_mode,
        sync_features: options.sync_features,
        ...summary,
        rejects: [...summary.rejects],
        features_auto_created: creator?.created ?? 0,
      };
    } catch (error) {
      throw fileError(error, source.type);
    } finally {
      input.destroy();
    }
  }

  async function store(environment: string, batch: readonly NewEvent[], creator: FeatureCreator | undefined) {
    await creator?.ensure(batch);
    const snapshot = snapshots.get(environment);
    const stored = await events.append(
      environment,
      batch.map((event) => ({ ...event, ab_variant: experimentArm(snapshot, event.feature_key, event.user_id) })),
    );
    return stored.reduce((sum, { duplicate }) => sum + Number(!duplicate), 0);
  }

  function featureCreator(environment: string, options: Options, author: Author): FeatureCreator {
    const known = new Set<string>();
    let created = 0;
    return {
      get created() {
        return created;
      },
      async ensure(batch) {
        const keys = [...new Set(batch.map(({ feature_key }) => feature_key))].filter((key) => !known.has(key));
        if (keys.length === 0) return;
        const wanted = keys.map((key) => definitionOf(key, options));
        created += (await features.createMissing(environment, wanted, { reason: "CSV import", ...author })).length;
        for (const key of keys) known.add(key);
      },
    };
  }

  function definitionOf(key: string, options: Options): FeatureDefinition {
    const write = check(FeatureWrite, {
      key: check(FeatureKey, key),
      name: key.startsWith("item_") ? `Item ${key.slice("item_".length)}` : "Dataset import",
      rollout_percentage: options.feature_rollout_percentage,
      ml_enabled: options.feature_ml_enabled,
    });
    return toDefinition(write, { strategies });
  }

  async function open(source: Source, signal: AbortSignal): Promise<Readable> {
    if (source.type === "csv_file") return createReadStream(source.path);
    try {
      return await openCsvUrl(source.value, { allowPrivate: isLoopback(config.HOST), signal });
    } catch (error) {
      throw fileError(error, source.type);
    }
  }
}

interface FeatureCreator {
  readonly created: number;
  /** Creates the features of these events that do not exist. */
  ensure(batch: readonly NewEvent[]): Promise<void>;
}

type Source =
  | { readonly type: "csv_file"; readonly value: string; readonly path: string }
  | { readonly type: "csv_url"; readonly value: string };

function sourceOf({ file }: Form, { csv_url }: Options): Source {
  const fromFile = file !== undefined && file.field === "csv_file";
  if (file !== undefined && !fromFile)
    throw new HttpError(422, "unknown_field", `${file.field}: is not a field of this form; the file is csv_file`, {
      field: file.field,
    });
  if (fromFile === (csv_url !== undefined))
    throw new HttpError(
      422,
      "one_source",
      `csv_file: send exactly one of csv_file and csv_url, not ${fromFile ? "both" : "neither"}`,
      { field: "csv_file" },
    );
  if (fromFile) return { type: "csv_file", value: file.name, path: file.path };
  return { type: "csv_url", value: csv_url as string };
}

/** What is wrong with the file is the sender's to know; all else goes on to the error handler. */
function fileError(error: unknown, field: Source["type"]): unknown {
  if (error instanceof MissingColumns) return new HttpError(422, "missing_columns", error.message, { field });
  if (error instanceof UnreadableUrl) return new HttpError(422, "unreadable_url", error.message, { field });
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("Z_") || code.startsWith("CSV_"))
    return new HttpError(422, "unreadable_file", `The file cannot be read: ${(error as Error).message}`, { field });
  return error;
}
