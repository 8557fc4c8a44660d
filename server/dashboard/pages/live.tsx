import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { Head } from "../parts/states.tsx";
import { paletteOf, Variant } from "../parts/variant.tsx";
import { hrefOf, query, setQuery, userHref } from "../router.ts";
import { environment } from "../session.ts";
import { shareStream } from "../share-stream.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, StoredDecisions, StoredEvent } from "../wire.ts";
import { CAUSES, count, counted, SOURCES } from "../words.ts";

type Decided = Omit<StoredDecisions["decisions"][number], "attributes" | "variant" | "feature_version" | "user_id"> & {
  readonly variant: string | null;
  readonly user_id: string | null;
};
type Happened = Pick<StoredEvent, "id" | "user_id" | "feature_key" | "event_type" | "timestamp">;
/** `id` is the stream's. */
type Row =
  | { readonly id: string; readonly decision: Decided; readonly event?: undefined }
  | { readonly id: string; readonly event: Happened; readonly decision?: undefined };

/** Since one came. */
interface Counts {
  readonly matched: number;
  readonly events: number;
  readonly fallbacks: number;
  readonly sampled: number;
  readonly dropped: number;
}

/** The newest are kept. */
const KEPT = 200;
/** Milliseconds between two drawings, however fast they come. */
const FRAME = 250;
/** By the address: in words, and what the server is asked for. */
const SHOWN: Readonly<Record<string, readonly [words: string, events: string | undefined]>> = {
  "": ["Decisions and events", "true"],
  decisions: ["Decisions", undefined],
  events: ["Events", "only"],
};
const NONE: Counts = { matched: 0, events: 0, fallbacks: 0, sampled: 0, dropped: 0 };

/** `/app/live?show=&feature=&user=&source=&fallbacks=`: filtered on the server. */
export function LivePage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const filter = {
    feature_key: query("feature"),
    user_id: query("user"),
    decision_source: query("source"),
    fallbacks: query("fallbacks"),
    events: (SHOWN[query("show")] ?? SHOWN[""])?.[1],
  };
  const known = useMemo(() => new Map(features.value?.map((feature) => [feature.key, feature])), [features.value]);
  const [paused, setPaused] = useState(false);
  const [hovered, setHovered] = useState(false);
  const { rows, counts, waiting, open } = useLive(hrefOf("/decisions/stream", filter), paused || hovered);
  return (
    <>
      <Head title="Live" lead="What this server decides and what users do, as it happens, newest on top.">
        <button type="button" class={paused ? "primary" : ""} aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? "Go on" : "Pause"}
        </button>
      </Head>
      <div class="row filters">
        <select
          aria-label="Show"
          value={query("show")}
          onChange={({ currentTarget }) => setQuery({ show: currentTarget.value })}
        >
          {Object.entries(SHOWN).map(([show, [words]]) => (
            <option key={show} value={show}>
              {words}
            </option>
          ))}
        </select>
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
      <section class="card table" aria-label="Decisions and events">
        {rows.length === 0 ? (
          <div class="empty">
            <h2>{open ? `Waiting for ${filter.events === "only" ? "events" : "decisions"}` : "Connecting …"}</h2>
            <p>They appear here as they happen. Nothing is kept when you leave.</p>
          </div>
        ) : (
          <table class="cards live" onMouseEnter={() => setHovered(true)} onMouseLeave={() => setHovered(false)}>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Feature</th>
                <th scope="col">User</th>
                <th scope="col">What</th>
                <th scope="col">Decided by</th>
                <th scope="col">Explain</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, decision, event }) =>
                decision === undefined ? (
                  <EventRow key={id} event={event} />
                ) : (
                  <DecisionRow key={id} decision={decision} feature={known.get(decision.feature_key)} />
                ),
              )}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

function DecisionRow({ decision, feature }: { decision: Decided; feature: Feature | undefined }) {
  const { decision_id, at, feature_key, user_id, variant, enabled, decision_source, score, fallback } = decision;
  return (
    <tr>
      <Where at={at} feature={feature_key} user={user_id} />
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
            href={hrefOf("/app/explain", { feature: feature_key, user: user_id, decision: decision_id })}
            aria-label={`Why ${user_id} got ${variant}`}
          >
            Why?
          </a>
        )}
      </td>
    </tr>
  );
}

function EventRow({ event: { timestamp, feature_key, user_id, event_type } }: { event: Happened }) {
  return (
    <tr class="event">
      <Where at={timestamp} feature={feature_key} user={user_id} />
      <td class="break">
        <b>{event_type}</b>
      </td>
      <td class="soft">event</td>
      <td />
    </tr>
  );
}

function Where({ at, feature, user }: { at: string; feature: string; user: string | null }) {
  return (
    <>
      <td class="mono soft small" title={at}>
        {at.slice(11, 23)}
      </td>
      <td class="break">{feature}</td>
      <td class="break">{user === null ? <span class="soft">nobody</span> : <a href={userHref(user)}>{user}</a>}</td>
    </>
  );
}

/** Said aloud every ten seconds, not with every row. */
function Counted({ counts, waiting, paused }: { counts: Counts; waiting: number; paused: boolean }) {
  const { matched, events, fallbacks, sampled, dropped } = counts;
  const [spoken, setSpoken] = useState("");
  const words = `${counted(matched - events, "decision")}, ${counted(fallbacks, "fallback")}, ${counted(events, "event")}`;
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
      {paused && ` · paused${waiting > 0 ? `, ${waiting === KEPT ? "the newest " : ""}${count(waiting)} waiting` : ""}`}
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
    // What the server counted last; undefined: it counted for another page before this one began to listen.
    let last: Counts | undefined;
    // Told since then: when the connection is lost, no count will have them.
    let uncounted = NONE;
    setRows([]);
    setCounts(undefined);
    shareStream(
      path,
      ({ event, data, id = "" }) => {
        if (event === "open") {
          const lost = uncounted;
          [last, uncounted] = [NONE, NONE];
          setCounts((sum) => sum && added(sum, lost, NONE));
        } else if (event === "status") {
          const now = JSON.parse(data) as Counts;
          const before = last ?? now;
          [last, uncounted] = [now, NONE];
          setCounts((sum) => added(sum ?? NONE, now, before));
        } else {
          const row: Row = event === "event" ? { id, event: JSON.parse(data) } : { id, decision: JSON.parse(data) };
          const { matched, events, fallbacks } = uncounted;
          uncounted = {
            ...uncounted,
            matched: matched + 1,
            events: events + Number(row.event !== undefined),
            fallbacks: fallbacks + Number((row.decision?.fallback ?? null) !== null),
          };
          fresh.push(row);
          if (fresh.length > 2 * KEPT) fresh = fresh.slice(-KEPT);
        }
      },
      controller.signal,
    );
    const timer = setInterval(() => {
      if (held.current) return setWaiting(Math.min(fresh.length, KEPT));
      if (fresh.length === 0) return;
      const news = fresh.slice(-KEPT).reverse();
      fresh = [];
      setWaiting(0);
      setRows((before) => [...news, ...before].slice(0, KEPT));
    }, FRAME);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [path, environment.value]);

  return { rows, counts: counts ?? NONE, waiting, open: counts !== undefined };
}

function added(sum: Counts, now: Counts, before: Counts): Counts {
  const of = (name: keyof Counts) => sum[name] + now[name] - before[name];
  return {
    ...{ matched: of("matched"), events: of("events"), fallbacks: of("fallbacks") },
    ...{ sampled: of("sampled"), dropped: of("dropped") },
  };
}
