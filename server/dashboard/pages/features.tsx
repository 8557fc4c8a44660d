import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { CreateFeature } from "../parts/feature/create-feature.tsx";
import { FirstVisit } from "../parts/first-visit.tsx";
import { Head, Loaded } from "../parts/states.tsx";
import { paletteOf, type Share, VariantBar } from "../parts/variant.tsx";
import { featureHref, query, setQuery } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { DecisionSummary, Feature } from "../wire.ts";
import { ago, counted, percent } from "../words.ts";

interface Row {
  readonly feature: Feature;
  readonly served: readonly Share[];
  readonly total: number;
  readonly lastServed: string | null;
  readonly model: DecisionSummary["features"][number]["model"];
}

const SHOWS = [
  ["", "All"],
  ["on", "Switched on"],
  ["off", "Switched off"],
  ["model", "With a model"],
  ["idle", "Not asked for 30 days"],
] as const;

/** Rows drawn at first: a thousand features stay quick, and nobody reads them all. */
const PAGE = 100;
const THIRTY_DAYS = 30 * 86_400_000;

/** The first page: `/?q=&show=&sort=`. */
export function FeaturesPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const summary = useResource("summary", (signal) => get<DecisionSummary>("/decisions/summary", signal), {
    every: 5_000,
  });
  const [creating, setCreating] = useState(query("create") !== "");
  return (
    <>
      <Head title="Features" lead="What is released to whom, and what was served in the last hour.">
        <button type="button" class="primary" onClick={() => setCreating(true)}>
          New feature
        </button>
      </Head>
      <Loaded of={features}>
        {(list) =>
          list.length === 0 ? (
            <FirstVisit create={() => setCreating(true)} done={features.reload} />
          ) : (
            <List rows={rowsOf(list, summary.value)} />
          )
        }
      </Loaded>
      {creating && <CreateFeature close={() => setCreating(false)} />}
    </>
  );
}

function rowsOf(features: readonly Feature[], summary: DecisionSummary | undefined): Row[] {
  const used = new Map(summary?.features.map((entry) => [entry.feature_key, entry]));
  return features.map((feature) => {
    const { served = {}, last_served_at = null, model = null } = used.get(feature.key) ?? {};
    const total = Object.values(served).reduce((sum, decisions) => sum + decisions, 0);
    const names = Object.keys(feature.variants);
    const placeOf = paletteOf(names, feature.off_variant);
    const shares = Object.entries(served)
      .sort(([a], [b]) => names.indexOf(a) - names.indexOf(b))
      .map(([name, decisions]) => ({ name, share: decisions / total, place: placeOf(name) }))
      .sort((a, b) => Number(a.place === 0) - Number(b.place === 0));
    return { feature, served: shares, total, lastServed: last_served_at, model };
  });
}

function List({ rows }: { rows: readonly Row[] }) {
  const [most, setMost] = useState(PAGE);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      if (event.key !== "/" || (event.target as Element).closest("input, textarea, select, dialog")) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener("keydown", jump);
    return () => removeEventListener("keydown", jump);
  }, []);
  const [q, show, sort] = [query("q"), query("show"), query("sort") || "changed"];
  const found = rows.filter((row) => matches(row, q.toLowerCase().trim(), show)).sort(ORDERS[sort] ?? ORDERS.changed);
  return (
    <>
      <div class="spread">
        <search class="grow" style={{ maxWidth: "24rem" }}>
          <input
            type="search"
            aria-label="Search features"
            placeholder="Search by key, name, tag or owner ( / )"
            aria-keyshortcuts="/"
            ref={search}
            value={q}
            onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
          />
        </search>
        <div class="row">
          <select
            aria-label="Show"
            value={show}
            onChange={({ currentTarget }) => setQuery({ show: currentTarget.value })}
            style={{ width: "auto" }}
          >
            {SHOWS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
          <select
            aria-label="Sort by"
            value={sort}
            onChange={({ currentTarget }) => setQuery({ sort: currentTarget.value })}
            style={{ width: "auto" }}
          >
            <option value="changed">Changed last</option>
            <option value="name">Name</option>
            <option value="served">Served most</option>
            <option value="rollout">Rollout</option>
          </select>
        </div>
      </div>
      <p class="soft small" role="status">
        {counted(found.length, "feature")}
        {found.length < rows.length && ` of ${rows.length}`}
      </p>
      {found.length === 0 ? (
        <div class="card empty">
          <h2>No feature matches</h2>
          <button type="button" onClick={() => setQuery({ q: null, show: null })}>
            Show all
          </button>
        </div>
      ) : (
        <div class="card table">
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Feature</th>
                <th scope="col">State</th>
                <th scope="col">Served in the last hour</th>
                <th scope="col">Model</th>
                <th scope="col">Changed</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, most).map((row) => (
                <FeatureRow key={row.feature.key} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length > most && (
        <button type="button" onClick={() => setMost(most + PAGE)}>
          Show {Math.min(PAGE, found.length - most)} more
        </button>
      )}
    </>
  );
}

const ORDERS: Readonly<Record<string, (a: Row, b: Row) => number>> & { changed: (a: Row, b: Row) => number } = {
  changed: (a, b) => Date.parse(b.feature.updated_at) - Date.parse(a.feature.updated_at),
  name: (a, b) => a.feature.name.localeCompare(b.feature.name),
  served: (a, b) => b.total - a.total,
  rollout: (a, b) => b.feature.rollout_percentage - a.feature.rollout_percentage,
};

function matches({ feature, lastServed }: Row, q: string, show: string): boolean {
  if (show === "on" && !feature.enabled) return false;
  if (show === "off" && feature.enabled) return false;
  if (show === "model" && !learns(feature)) return false;
  if (show === "idle" && !isIdle(feature, lastServed)) return false;
  const { key, name, owner, tags } = feature;
  return q === "" || [key, name, owner ?? "", ...tags].some((text) => text.toLowerCase().includes(q));
}

function learns({ steps }: Feature): boolean {
  return steps.some(({ strategy, when }) => (strategy === "ml-model" || strategy === "bandit") && when !== false);
}

function isIdle({ created_at }: Feature, lastServed: string | null): boolean {
  return Date.now() - Date.parse(lastServed ?? created_at) > THIRTY_DAYS;
}

function FeatureRow({ row }: { row: Row }) {
  const { feature, served, total, lastServed } = row;
  const { key, name, enabled, rollout_percentage, type, updated_at } = feature;
  return (
    <tr>
      <td class="break">
        <a class="key" href={featureHref(key)}>
          {name}
        </a>
        <span class="soft">
          <code>{key}</code> · {type}
        </span>
      </td>
      <td>{enabled ? <Rollout percentage={rollout_percentage} feature={feature} /> : <span class="chip">Off</span>}</td>
      <td class="wide">
        {total > 0 ? (
          <>
            <VariantBar shares={served} />
            <span class="small soft nums">
              {counted(total, "decision")} · {served.map((each) => `${each.name} ${percent(each.share, 0)}`).join(", ")}
            </span>
          </>
        ) : (
          <span class="small soft">
            {isIdle(feature, lastServed)
              ? "Not asked for 30 days"
              : lastServed === null
                ? "Never asked"
                : `Last asked ${ago(lastServed)}`}
          </span>
        )}
      </td>
      <td data-label="Model:">
        <ModelChip row={row} />
      </td>
      <td class="small soft" title={updated_at}>
        {ago(updated_at)}
      </td>
    </tr>
  );
}

function Rollout({ percentage, feature }: { percentage: number; feature: Feature }) {
  const simple = feature.steps.some(({ id, strategy }) => id === "rollout" && strategy === "hash-bucketing");
  return <span class="chip good">On{simple ? ` · ${percent(percentage / 100, 3)}` : ""}</span>;
}

function ModelChip({ row: { feature, model } }: { row: Row }) {
  if (!learns(feature)) return <span class="small soft">none</span>;
  if (model === null) return <span class="chip warn">no model yet</span>;
  const tone = { fresh: "good", warning: "warn", stopped: "bad" }[model.health];
  const words = { fresh: "live", warning: "drifting", stopped: "stopped" }[model.health];
  return <span class={`chip ${tone}`}>{words}</span>;
}
