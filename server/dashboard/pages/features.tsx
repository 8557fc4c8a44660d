import { useEffect, useRef } from "preact/hooks";
import { get } from "../api.ts";
import { CreateFeature } from "../parts/feature/create-feature.tsx";
import { chosenRows, type FeatureRow, rowsOf, SHOWS } from "../parts/feature/feature-rows.ts";
import { FeaturesTable } from "../parts/feature/features-table.tsx";
import { FirstVisit } from "../parts/first-visit.tsx";
import { Empty, Head, Loaded } from "../parts/states.tsx";
import { openDialog, openedDialog, query, setQuery } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { DecisionSummary, Feature } from "../wire.ts";
import { count, counted } from "../words.ts";

/** Rows drawn at first: a thousand features stay quick, and nobody reads them all. */
const PAGE = 100;

/** The first page: `/?q=&show=&sort=&rows=&open=new`. */
export function FeaturesPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const summary = useResource("summary", (signal) => get<DecisionSummary>("/decisions/summary", signal), {
    every: 5_000,
  });
  const create = () => openDialog("new");
  return (
    <>
      <Head title="Features" lead="What is released to whom, and what was served in the last hour.">
        <button type="button" class="primary" onClick={create}>
          New feature
        </button>
      </Head>
      <Loaded of={features}>
        {(list) =>
          list.length === 0 ? (
            <FirstVisit create={create} done={features.reload} />
          ) : (
            <List rows={rowsOf(list, summary.value)} />
          )
        }
      </Loaded>
      {openedDialog() === "new" && <CreateFeature />}
    </>
  );
}

function List({ rows }: { rows: readonly FeatureRow[] }) {
  const asked = { q: query("q"), show: query("show"), sort: query("sort") || "changed" };
  const most = Number(query("rows")) || PAGE;
  const found = chosenRows(rows, asked);
  return (
    <>
      <Filters {...asked} />
      <p class="soft small" role="status">
        {counted(found.length, "feature")}
        {found.length < rows.length && ` of ${count(rows.length)}`}
      </p>
      {found.length === 0 ? (
        <Empty title="No feature matches">
          <button type="button" onClick={() => setQuery({ q: null, show: null })}>
            Show all
          </button>
        </Empty>
      ) : (
        <FeaturesTable rows={found.slice(0, most)} />
      )}
      {found.length > most && (
        <button type="button" onClick={() => setQuery({ rows: String(most + PAGE) })}>
          Show {Math.min(PAGE, found.length - most)} more
        </button>
      )}
    </>
  );
}

function Filters({ q, show, sort }: { q: string; show: string; sort: string }) {
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
  return (
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
  );
}
