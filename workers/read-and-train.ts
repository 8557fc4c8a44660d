/** What the thread of `learn` does once it has stepped back (see learn-thread.ts). */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { Feature } from "../core/feature/feature.ts";
import { type CompleteObjective, completeObjective } from "../core/feature/objective.ts";
import type { Json } from "../core/json.ts";
import { Artifact } from "../core/model/artifact.ts";
import type { Dataset } from "../core/model/dataset.ts";
import type { Model } from "../core/model/model.ts";
import { type TrainOptions, train } from "../core/model/train.ts";
import { Invalid, type Promotion } from "../core/ports.ts";
import packageJson from "../package.json" with { type: "json" };
import { plugIn } from "../plugins/gather-plugins.ts";
import { loadPlugins } from "../plugins/load.ts";
import { configurationStore } from "../server/postgres/configuration.ts";
import { openSql, type Sql } from "../server/postgres/sql.ts";
import { readDataset } from "../server/postgres/training-data.ts";
import { readUpliftData } from "../server/postgres/uplift-data.ts";
import { chooseTraining } from "./choose-training.ts";
import { judgeBy } from "./judge-challenger.ts";
import type { Learned, LearnReport, Lesson } from "./learn.ts";

/** Reading the data is this share of the progress, fitting the rest. */
const READ_SHARE = 0.25;

const lesson = workerData as Lesson;
const report = (message: LearnReport) => parentPort?.postMessage(message);

try {
  const material = await read(lesson);
  report({ kind: "read", rows: material.dataset.rows });
  report({ kind: "done", model: fitted(material) });
} catch (error) {
  if (error instanceof Invalid)
    report({ kind: "invalid", code: error.code, message: error.message, field: error.field });
  else if (error instanceof Error) report({ kind: "failed", message: error.message, stack: error.stack });
  else report({ kind: "failed", message: String(error), stack: undefined });
}

/** Everything that fitting needs. */
interface Material {
  readonly dataset: Dataset;
  readonly options: Pick<TrainOptions, "learner" | "target" | "direction" | "value_cap" | "judge" | "champion">;
  /** For the record. */
  readonly exposures: Json;
  /** What a model that passes is given. */
  readonly promotion: Exclude<Promotion, false>;
}

function fitted({ dataset, options, exposures, promotion }: Material): Learned {
  const { promote, ...model } = train(dataset, {
    ...options,
    seed: lesson.request.seed,
    code_version: packageJson.version,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
    onProgress: (done, stage) => report({ kind: "progress", progress: READ_SHARE + done * (1 - READ_SHARE), stage }),
  });
  const gate = (model.metrics as { readonly gate?: Json }).gate;
  return {
    ...model,
    process: {
      ...model.process,
      ...(gate === undefined ? {} : { gate }),
      ...(exposures === null ? {} : { exposures }),
    },
    promote: promote ? promotion : false,
  };
}

async function read(lesson: Lesson): Promise<Material> {
  const { databaseUrl, environment, request } = lesson;
  const sql = openSql(databaseUrl, { max: 1 });
  try {
    await noticeOurEnd(sql);
    const configuration = await configurationStore(sql).load(environment);
    const feature = configuration.features.find(({ key }) => key === request.feature_key);
    const { target, learner } = chooseTraining(request, feature);
    const objective = feature === undefined ? null : completeObjective(feature);
    const live = configuration.models.find(
      ({ feature_key, status }) => feature_key === request.feature_key && status === "live",
    );
    const champion = live !== undefined && decides(live, objective, lesson.now) ? live : undefined;
    // A bandit fitted anew goes on where the live one is: it is no challenger of its own.
    const promotion = learner === "ridge" ? "live" : promotionOf(champion, objective);
    if (target === "uplift") {
      if (feature === undefined) throw new Error("An uplift training is of a feature");
      const learned = objective ?? implied(feature);
      const judge = judgeBy({
        configuration,
        strategies: await strategiesOf(lesson),
        feature,
        objective: learned,
        champion: champion ?? null,
      });
      const { dataset, exposures } = await readUplift(sql, feature, learned);
      const { direction, value } = learned;
      return {
        dataset,
        options: { learner, target, direction, value_cap: value?.cap ?? null, judge },
        exposures: { ...exposures },
        promotion,
      };
    }
    const { defaults } = lesson;
    const dataset = await readDataset(sql, environment, request, { ...defaults, objective }, reading);
    const known = champion === undefined ? undefined : Artifact.safeParse(champion.artifact).data;
    return { dataset, options: { learner, target, champion: known }, exposures: null, promotion };
  } finally {
    // Not needed while fitting, which may take minutes.
    await sql.end({ timeout: 1 });
  }
}

function reading(done: number, stage: string): void {
  report({ kind: "progress", progress: done * READ_SHARE, stage });
}

/** @throws Invalid `frozen` when the objective forbids it, and as `readUpliftData` does */
function readUplift(sql: Sql, feature: Feature, objective: CompleteObjective) {
  if (objective.exploration === "frozen")
    throw new Invalid(
      "frozen",
      `Cannot train "${feature.key}": its objective has exploration "frozen", which stops learning too, as without exploration nothing new is found out. Give it a share of at least 0.02 to learn again`,
      "/objective/exploration",
    );
  const { environment, request, defaults, now } = lesson;
  return readUpliftData(
    sql,
    environment,
    {
      feature_key: feature.key,
      variants: Object.keys(feature.variants),
      objective,
      event_types: request.positive_event_types ?? objective.event_types ?? defaults.positive_event_types,
      window_seconds: request.window_seconds,
      now,
    },
    reading,
  );
}

/** Of a feature that has none: what it serves was drawn all the same, by its rollout. */
function implied({ off_variant }: Feature): CompleteObjective {
  return completeObjective({ objective: {}, off_variant }) as CompleteObjective;
}

/** Whether a live model still decides for anybody: nothing is taken over from one that does not. */
function decides({ health, trained_at, artifact }: Model, objective: CompleteObjective | null, now: number): boolean {
  if (health === "stopped" || !Artifact.safeParse(artifact).success) return false;
  return objective === null || Date.parse(trained_at) + objective.max_age_seconds * 1000 >= now;
}

function promotionOf(champion: Model | undefined, objective: CompleteObjective | null): Exclude<Promotion, false> {
  const [first = 1] = objective?.ramp ?? [];
  return champion === undefined || first === 1 ? "live" : { traffic: first };
}

async function strategiesOf({ plugins }: Lesson) {
  const loaded = await loadPlugins(plugins, process.cwd());
  plugIn(loaded);
  return loaded.strategies;
}

/**
 * This thread may be ended at any moment. Without this PostgreSQL would look for its client only when a query, which may
 * be sorting millions of events, has something to send. Servers on other systems may refuse the setting.
 */
async function noticeOurEnd(sql: Sql): Promise<void> {
  await sql`select set_config('client_connection_check_interval', '1s', false) where version() like '%linux%'`;
}
