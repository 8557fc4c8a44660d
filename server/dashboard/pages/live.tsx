import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { Head } from "../parts/states.tsx";
import { paletteOf, Variant } from "../parts/variant.tsx";
import { readStream } from "../read-stream.ts";
import { hrefOf, query, setQuery, userHref } from "../router.ts";
import { environment, token } from "../session.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, StoredDecisions } from "../wire.ts";
import { CAUSES, count, counted, SOURCES } from "../words.ts";

type Row = Omit<StoredDecisions["decisions"][number], "attributes" | "variant" | "feature_version" | "user_id"> & {
  readonly variant: string | null;
  readonly user_id: string | null;
};

interface Counts {
  readonly matched: number;
  readonly sent: number;
  readonly sampled: number;
  readonly dropped: number;
}

/** The newest are kept. */
const KEPT = 200;
/** Milliseconds between two drawings, however fast they come. */
const FRAME = 250;
const NONE: Counts = { matched: 0, sent: 0, sampled: 0, dropped: 0 };

/** `/app/live?feature=&user=&source=&fallbacks=`: filtered on the server. */
export function LivePage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const filter = {
    feature_key: query("feature"),
    user_id: query("user"),
    decision_source: query("source"),
    fallbacks: query("fallbacks"),
  };
  const known = useMemo(() => new Map(features.value?.map((feature) => [feature.key, feature])), [features.value]);
  const [paused, setPaused] = useState(false);
  const [hovered, setHovered] = useState(false);
  const { rows, counts, waiting, open } = useLive(hrefOf("/decisions/stream", filter), paused || hovered);
  return (
    <>
      <Head title="Live" lead="Decisions of this server as they are made, newest on top.">
        <button type="button" class={paused ? "primary" : ""} aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? "Go on" : "Pause"}
        </button>
      </Head>
      <div class="row filters">
        <select
          aria-label="Feature"
          value={filter.feature_key}
          onChange={({ currentTarget }) => setQuery({ feature: currentTarget.value })}
        >
          <option value="">All features</option>
          {features.value?.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
        <input
          aria-label="User id"
          placeholder="User id"
          value={filter.user_id}
          onChange={({ currentTarget }) => setQuery({ user: currentTarget.value })}
        />
        <select
          aria-label="Decided by"
          value={filter.decision_source}
          onChange={({ currentTarget }) => setQuery({ source: currentTarget.value })}
        >
          <option value="">Decided by anything</option>
          {Object.entries(SOURCES).map(([source, words]) => (
            <option key={source} value={source}>
              {words}
            </option>
          ))}
        </select>
        <label class="check">
          <input
            type="checkbox"
            checked={filter.fallbacks === "true"}
            onChange={({ currentTarget }) => setQuery({ fallbacks: currentTarget.checked ? "true" : null })}
          />
          Only fallbacks
        </label>
      </div>
      <Counted counts={counts} waiting={waiting} paused={paused || hovered} />
      <section class="card table" aria-label="Decisions">
        {rows.length === 0 ? (
          <div class="empty">
            <h2>{open ? "Waiting for decisions" : "Connecting …"}</h2>
            <p>They appear here as soon as somebody asks. Nothing is kept when you leave.</p>
          </div>
        ) : (
          <table class="cards live" onMouseEnter={() => setHovered(true)} onMouseLeave={() => setHovered(false)}>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Feature</th>
                <th scope="col">User</th>
                <th scope="col">Served</th>
                <th scope="col">Decided by</th>
                <th scope="col">Explain</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <LiveRow key={row.decision_id} row={row} feature={known.get(row.feature_key)} />
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

function LiveRow({ row, feature }: { row: Row; feature: Feature | undefined }) {
  const { at, feature_key, user_id, variant, enabled, decision_source, score, fallback } = row;
  return (
    <tr>
      <td class="mono soft small">{at.slice(11, 23)}</td>
      <td class="break">{feature_key}</td>
      <td class="break">
        {user_id === null ? <span class="soft">nobody</span> : <a href={userHref(user_id)}>{user_id}</a>}
      </td>
      <td>
        <Variant
          name={variant ?? "nothing"}
          place={
            feature === undefined
              ? Number(enabled)
              : paletteOf(Object.keys(feature.variants), feature.off_variant)(variant)
          }
        />
      </td>
      <td>
        {SOURCES[decision_source] ?? decision_source}
        {score !== null && <span class="soft nums"> {score.toFixed(2)}</span>}
        {fallback !== null && (
          <span class="small soft">
            {" "}
            · {fallback.from}: {CAUSES[fallback.cause] ?? fallback.cause}
          </span>
        )}
      </td>
      <td>
        {user_id !== null && (
          <a
            href={hrefOf("/app/explain", { feature: feature_key, user: user_id })}
            aria-label={`Why ${user_id} got ${variant}`}
          >
            Why?
          </a>
        )}
      </td>
    </tr>
  );
}

/** Said aloud every ten seconds, not with every row. */
function Counted({ counts, waiting, paused }: { counts: Counts; waiting: number; paused: boolean }) {
  const { matched, sampled, dropped } = counts;
  const [spoken, setSpoken] = useState("");
  const words = counted(matched, "decision");
  const latest = useRef(words);
  latest.current = words;
  useEffect(() => {
    const timer = setInterval(() => setSpoken(latest.current), 10_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="small soft nums">
      {words} since you came
      {sampled > 0 && ` · ${count(sampled)} not shown: more than 80 a second`}
      {dropped > 0 && ` · ${count(dropped)} dropped: this browser was too slow`}
      {paused && ` · paused${waiting > 0 ? `, ${count(waiting)} waiting` : ""}`}
      <span class="unseen" role="status">
        {spoken}
      </span>
    </p>
  );
}

function useLive(
  path: string,
  paused: boolean,
): { rows: readonly Row[]; counts: Counts; waiting: number; open: boolean } {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [counts, setCounts] = useState<Counts>();
  const [waiting, setWaiting] = useState(0);
  const held = useRef(paused);
  held.current = paused;

  useEffect(() => {
    const controller = new AbortController();
    let fresh: Row[] = [];
    setRows([]);
    setCounts(undefined);
    void readStream(
      path,
      ({ event, data }) => {
        if (event === "status") return setCounts(JSON.parse(data) as Counts);
        fresh.push(JSON.parse(data) as Row);
        if (fresh.length > KEPT) fresh = fresh.slice(-KEPT);
      },
      controller.signal,
    );
    const timer = setInterval(() => {
      if (held.current || document.hidden) return setWaiting(fresh.length);
      if (fresh.length === 0) return;
      const news = fresh.reverse();
      fresh = [];
      setWaiting(0);
      setRows((before) => [...news, ...before].slice(0, KEPT));
    }, FRAME);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [path, environment.value, token.value]);

  return { rows, counts: counts ?? NONE, waiting, open: counts !== undefined };
}
