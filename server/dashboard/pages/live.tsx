import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { Heads } from "../parts/heads.tsx";
import { Head } from "../parts/states.tsx";
import { paletteOf, Variant } from "../parts/variant.tsx";
import { hrefOf, query, setQuery, userHref } from "../router.ts";
import { type Counts, type Decided, type Happened, KEPT, useLive } from "../use-live.ts";
import { useResource } from "../use-resource.ts";
import type { Feature } from "../wire.ts";
import { CAUSES, count, counted, SOURCES } from "../words.ts";

/** By the address: in words, and what the server is asked for. */
const SHOWN: Readonly<Record<string, readonly [words: string, events: string | undefined]>> = {
  "": ["Decisions and events", "true"],
  decisions: ["Decisions", undefined],
  events: ["Events", "only"],
};

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
            <Heads names={["Time", "Feature", "User", "What", "Decided by", "Explain"]} />
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
