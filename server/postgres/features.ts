import { checkArms } from "../../core/experiment/check-arms.ts";
import type { Feature, FeatureDefinition } from "../../core/feature/feature.ts";
import { type Author, Conflict, type FeatureStore, StaleVersion, type WriteCheck } from "../../core/ports.ts";
import { texts } from "./array-literal.ts";
import { changeServed, requireEnvironment } from "./change-served.ts";
import { checkWrite } from "./check-write.ts";
import { selectRunningExperiments } from "./experiment-rows.ts";
import { type FeatureRow, featureColumns, selectFeatures, toFeature } from "./feature-rows.ts";
import type { Sql, Transaction } from "./sql.ts";

/** Features with their history: every write adds an immutable revision. */
export function featureStore(sql: Sql): FeatureStore {
  return {
    async list(environment) {
      const features = await selectFeatures(sql, environment);
      if (features.length === 0) await requireEnvironment(sql, environment);
      return features;
    },

    get: (environment, idOrKey) => find(sql, environment, idOrKey),

    create: (environment, definition, author, check) =>
      changeServed(sql, environment, async (tx, changed) => {
        await refuseTakenKey(tx, environment, definition.key);
        const [row] = await tx<FeatureRow[]>`
          insert into features (environment, key, definition, created_at, updated_at)
          values (${environment}, ${definition.key}, ${JSON.stringify(definition)}::text::json, clock_timestamp(), clock_timestamp())
          returning ${featureColumns(tx)}`;
        return written(tx, row as FeatureRow, definition, author, check, changed);
      }),

    async createMissing(environment, definitions, { actor, reason = null }) {
      const keys = texts(definitions.map(({ key }) => key));
      const rows = await sql<{ key: string }[]>`
        select key from features where environment = ${environment} and key = any(${keys}::text::text[])`;
      const taken = new Set(rows.map(({ key }) => key));
      const missing = definitions.filter(({ key }) => !taken.has(key));
      // Most often all are there: then nobody waits for the environment's lock, and nothing has changed.
      if (missing.length === 0) return [];
      return changeServed(sql, environment, async (tx, changed) => {
        const made = await tx<{ key: string }[]>`
          with made as (
            insert into features (environment, key, definition, created_at, updated_at)
            select ${environment}, key, definition::json, clock_timestamp(), clock_timestamp()
            from unnest(
              ${texts(missing.map(({ key }) => key))}::text::text[],
              ${texts(missing.map((definition) => JSON.stringify(definition)))}::text::text[])
              with ordinality as input (key, definition, place)
            order by place
            on conflict (environment, key) do nothing
            returning id, key, version, definition
          ), revised as (
            insert into feature_revisions (environment, feature_id, feature_key, version, definition, actor, reason, at)
            select ${environment}, id, key, version, definition, ${actor}, ${reason}, clock_timestamp() from made
          )
          select key from made order by id`;
        if (made.length > 0) changed();
        return made.map(({ key }) => key);
      });
    },

    update: (environment, idOrKey, change, author, { expected, check } = {}) =>
      changeServed(sql, environment, async (tx, changed) => {
        const stored = await findForWrite(tx, environment, idOrKey, expected);
        if (stored === undefined) return undefined;
        const definition = change(stored);
        await refuseTakenKey(tx, environment, definition.key, stored.id);
        if (definition.key !== stored.key) await refuseLostModel(tx, environment, stored.key, definition.key);
        for (const running of await selectRunningExperiments(tx, environment))
          if (running.feature_key === stored.key) checkArms(running, definition);
        const [row] = await tx<FeatureRow[]>`
          update features
          set key = ${definition.key}, definition = ${JSON.stringify(definition)}::text::json,
            version = version + 1, updated_at = clock_timestamp()
          where id = ${stored.id}
          returning ${featureColumns(tx)}`;
        return written(tx, row as FeatureRow, definition, author, check, changed);
      }),

    remove: (environment, idOrKey, author, { expected, check } = {}) =>
      changeServed(sql, environment, async (tx, changed) => {
        const stored = await findForWrite(tx, environment, idOrKey, expected);
        if (stored === undefined) return false;
        await tx`delete from features where id = ${stored.id}`;
        await retireLearned(tx, environment, stored.key);
        await addRevision(tx, { ...stored, version: stored.version + 1 }, null, author);
        await checkWrite(tx, environment, check);
        changed();
        return true;
      }),

    async revisions(environment, idOrKey) {
      // Without such a feature now: the one that last had the key.
      const rows = await sql<RevisionRow[]>`
        select version, actor, reason, at, definition from feature_revisions
        where environment = ${environment} and feature_id = coalesce(
          (select id from features where ${matches(sql, environment, idOrKey)}),
          (select feature_id from feature_revisions where environment = ${environment} and feature_key = ${idOrKey}
           order by at desc, feature_id desc limit 1),
          ${idIn(idOrKey)}::bigint)
        order by version desc`;
      return rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
    },
  };
}

interface RevisionRow {
  readonly version: number;
  readonly actor: string;
  readonly reason: string | null;
  readonly at: Date;
  readonly definition: FeatureDefinition | null;
}

async function find(sql: Sql | Transaction, environment: string, idOrKey: string): Promise<Feature | undefined> {
  const [row] = await sql<FeatureRow[]>`
    select ${featureColumns(sql)} from features where ${matches(sql, environment, idOrKey)}`;
  return row && toFeature(row);
}

async function findForWrite(
  tx: Transaction,
  environment: string,
  idOrKey: string,
  expected: number | undefined,
): Promise<Feature | undefined> {
  const stored = await find(tx, environment, idOrKey);
  if (stored !== undefined && expected !== undefined && stored.version !== expected)
    throw new StaleVersion(stored.version, expected);
  return stored;
}

/** A whole number is an id; it is a key only when no feature has that id. */
function matches(sql: Sql | Transaction, environment: string, idOrKey: string) {
  const id = idIn(idOrKey);
  const byKey = sql`environment = ${environment} and key = ${idOrKey}`;
  if (id === null) return byKey;
  const byId = sql`environment = ${environment} and id = ${id}`;
  return sql`(${byId}) or (${byKey} and not exists (select from features where ${byId}))`;
}

function idIn(idOrKey: string): number | null {
  return /^\d{1,15}$/.test(idOrKey) ? Number(idOrKey) : null;
}

async function refuseTakenKey(tx: Transaction, environment: string, key: string, self?: number): Promise<void> {
  const [taken] = await tx<{ id: number }[]>`
    select id from features where environment = ${environment} and key = ${key}`;
  if (taken !== undefined && taken.id !== self)
    throw new Conflict(`The key "${key}" is taken by feature ${taken.id}; choose another or PUT to it`);
}

/** Models, decisions and events are kept by key: a renamed feature would lose its model, and a later one of the old key get it. */
async function refuseLostModel(tx: Transaction, environment: string, key: string, wanted: string): Promise<void> {
  const [model] = await tx<{ version: string }[]>`
    select version from models where environment = ${environment} and feature_key = ${key} and status = 'live'`;
  if (model !== undefined)
    throw new Conflict(
      `Feature "${key}" is decided by its model ${model.version}, which learned from what is kept under that key and would not decide for "${wanted}": keep the key and change the name, or create "${wanted}" beside it`,
      "feature_has_model",
    );
}

async function written(
  tx: Transaction,
  row: FeatureRow,
  definition: FeatureDefinition,
  author: Author,
  check: WriteCheck | undefined,
  changed: () => void,
): Promise<Feature> {
  const feature = toFeature(row);
  await addRevision(tx, feature, definition, author);
  await checkWrite(tx, feature.environment, check);
  changed();
  return feature;
}

async function addRevision(
  tx: Transaction,
  { environment, id, key, version }: Pick<Feature, "environment" | "id" | "key" | "version">,
  definition: FeatureDefinition | null,
  { actor, reason }: Author,
): Promise<void> {
  const text = definition === null ? null : JSON.stringify(definition);
  await tx`
    insert into feature_revisions (environment, feature_id, feature_key, version, definition, actor, reason, at)
    values (${environment}, ${id}, ${key}, ${version}, ${text}::text::json, ${actor}, ${reason ?? null}, clock_timestamp())`;
}

/** A later feature of the same key must not be decided by what was learnt, or tried, on this one. */
async function retireLearned(tx: Transaction, environment: string, key: string): Promise<void> {
  await tx`
    update models set status = 'retired'
    where environment = ${environment} and feature_key = ${key} and status = 'live'`;
  await tx`
    update experiments set enabled = false, ended_at = now()
    where environment = ${environment} and feature_key = ${key} and enabled`;
}
