import { get } from "../api.ts";
import { STRATEGIES } from "../explanation.ts";
import { Heads } from "../parts/heads.tsx";
import { Head, Loaded } from "../parts/states.tsx";
import { featureHref } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Strategies, System } from "../wire.ts";
import { count, counted, duration, trimmed } from "../words.ts";

const STATES = {
  ok: ["good", "works"],
  failing: ["warn", "fails"],
  resting: ["bad", "is given a rest"],
  broken: ["bad", "cannot be asked"],
} as const;

/** `/app/system`. */
export function SystemPage() {
  const system = useResource("system", (signal) => get<System>("/system", signal), { every: 3_000 });
  const known = useResource("strategies", (signal) => get<Strategies>("/strategies", signal));
  return (
    <>
      <Head title="System" lead="Whether everything works, as this server sees it.">
        <a class="button" href="/docs">
          API docs
        </a>
        <a class="button" href="/metrics">
          Metrics
        </a>
      </Head>
      <Loaded of={system}>
        {(found) => (
          <>
            <Health system={found} />
            <div class="halves">
              <Facts system={found} />
              <Jobs system={found} />
            </div>
            <Steps system={found} />
          </>
        )}
      </Loaded>
      <section class="card">
        <h2>Strategies</h2>
        <Loaded of={known}>
          {({ strategies, operators }) => (
            <>
              <ul class="lines">
                {strategies.map(({ id, summary, learns }) => (
                  <li key={id}>
                    <b>{STRATEGIES[id] ?? id}</b> <code class="soft">{id}</code>{" "}
                    {learns && <span class="chip">learns</span>}
                    <div class="soft">{summary}</div>
                  </li>
                ))}
              </ul>
              <p class="small soft">{counted(operators.length, "operator")} for conditions on attributes.</p>
            </>
          )}
        </Loaded>
      </section>
    </>
  );
}

function Health({ system: { stale, exposures, steps, jobs, workers } }: { system: System }) {
  const ill = steps.filter(({ state }) => state === "resting" || state === "broken").length;
  const wrong = [
    ...(stale
      ? ["the database cannot be reached: what was last configured goes on being served, changes have to wait"]
      : []),
    ...(workers === 0 ? ["no worker runs, so nothing is trained"] : []),
    ...(exposures.dropped > 0 ? [`${counted(exposures.dropped, "decision")} could not be stored`] : []),
    ...(ill > 0 ? [`${counted(ill, "step")} cannot be asked`] : []),
    ...(jobs !== null && jobs.failed > 0 ? [`${counted(jobs.failed, "background job")} failed for good`] : []),
  ];
  if (wrong.length === 0)
    return (
      <p class="note good" role="status">
        Everything works.
      </p>
    );
  return (
    <div class={`note ${stale ? "bad" : "warn"}`} role="status">
      <b>{stale ? "Degraded." : "Look at this."}</b>
      <ul>
        {wrong.map((what) => (
          <li key={what}>{what.charAt(0).toUpperCase() + what.slice(1)}.</li>
        ))}
      </ul>
    </div>
  );
}

function Facts({ system }: { system: System }) {
  const { version, runtime, uptime_seconds, database, environment, revision, auth, traces_exported } = system;
  return (
    <section class="card">
      <h2>Server and database</h2>
      <dl class="facts">
        <Fact name="Version" value={version} />
        <Fact name="Runs on" value={runtime} />
        <Fact name="Up for" value={duration(uptime_seconds)} />
        <Fact name="Environment" value={environment} note={`revision ${count(revision)}`} />
        {database === null ? (
          <Fact name="Database" value="cannot be reached" />
        ) : (
          <Fact name="Database" value={database.version} note={`${trimmed(database.size_bytes / 2 ** 20, 1)} MB`} />
        )}
        {database !== null && <Schema migration={database.migration} />}
        <Fact name="Sign-in" value={auth ? "asked for" : "off"} />
        <Fact name="Traces" value={traces_exported ? "exported" : "not exported"} />
      </dl>
    </section>
  );
}

/** "0004_decisions_by_user" is number 4. */
function Schema({ migration }: { migration: string | null }) {
  const [, number, name] = /^(\d+)_(.+)$/.exec(migration ?? "") ?? [];
  return (
    <Fact name="Schema" value={number ?? "–"} {...(name === undefined ? {} : { note: name.replaceAll("_", " ") })} />
  );
}

function Jobs({ system: { jobs, exposures, workers } }: { system: System }) {
  const known = (value: number | undefined) => (value === undefined ? "–" : count(value));
  return (
    <section class="card stack">
      <h2>Work in the background</h2>
      <dl class="facts">
        <Fact name="Workers" value={known(workers ?? undefined)} note="processes that take jobs" />
        <Fact name="Jobs waiting" value={known(jobs?.waiting)} note="scheduled ones too" />
        <Fact name="Under way" value={known(jobs?.running)} />
        <Fact name="Failed" value={known(jobs?.failed)} note="for good" />
        <Fact name="Decisions to store" value={count(exposures.waiting)} note={`${count(exposures.dropped)} dropped`} />
      </dl>
      {workers === 0 && (
        <p class="small soft">
          Start a worker with <code>npm run work</code>; <code>npm start</code> has one in it.
        </p>
      )}
    </section>
  );
}

function Steps({ system: { steps } }: { system: System }) {
  const sorted = steps.toSorted((a, b) => Number(a.state === "ok") - Number(b.state === "ok"));
  return (
    <section class="card">
      <h2>Steps</h2>
      {steps.length === 0 ? (
        <p class="soft">No feature has a step yet.</p>
      ) : (
        <table class="cards compact">
          <Heads names={["Feature", "Step", "State"]} />
          <tbody>
            {sorted.slice(0, 200).map(({ feature_key, step, strategy, state, failures, detail }) => (
              <tr key={`${feature_key} ${step}`}>
                <td class="break">
                  <a href={featureHref(feature_key)}>{feature_key}</a>
                </td>
                <td class="break">
                  {step} <span class="small soft">{strategy}</span>
                </td>
                <td>
                  <span class={`chip ${STATES[state][0]}`}>{STATES[state][1]}</span>
                  {failures > 0 && <span class="small soft"> {counted(failures, "failure")} in a row</span>}
                  {detail !== null && <span class="small soft break"> {detail}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Fact({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}
