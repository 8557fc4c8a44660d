import { useState } from "preact/hooks";
import { call, get } from "../api.ts";
import { type DiffLine, diffJson } from "../diff.ts";
import { STRATEGIES } from "../explanation.ts";
import { Dialog, Reason } from "../parts/dialog.tsx";
import { Empty, Head, Loaded } from "../parts/states.tsx";
import { type Step, StepCard } from "../parts/step-card.tsx";
import { say } from "../parts/toast.tsx";
import { paletteOf, Variant, VariantBar, VariantLegend } from "../parts/variant.tsx";
import { hrefOf } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { DecisionSummary, Experiment, Feature, Json, Preview, Revisions, Strategies } from "../wire.ts";
import { ago, count, counted, shown, when } from "../words.ts";

/** `/app/features/{key}`. */
export function FeaturePage({ name }: { name: string }) {
  const path = `/features/${encodeURIComponent(name)}`;
  const feature = useResource(path, (signal) => get<Feature>(path, signal));
  const known = useResource("strategies", (signal) => get<Strategies>("/strategies", signal));
  return (
    <Loaded of={feature}>
      {(stored) => (
        <Loaded of={known}>
          {(strategies) => <Editor key={stored.version} stored={stored} known={strategies} changed={feature.reload} />}
        </Loaded>
      )}
    </Loaded>
  );
}

interface EditorProps {
  readonly stored: Feature;
  readonly known: Strategies;
  changed(): void;
}

function Editor({ stored, known, changed }: EditorProps) {
  const { key, name, description, enabled, variants, off_variant } = stored;
  const [steps, setSteps] = useState<readonly Step[]>(stored.steps);
  const [fallback, setFallback] = useState(stored.fallback_variant);
  const [asked, setAsked] = useState<"save" | "switch" | "delete">();
  const names = Object.keys(variants);
  const placeOf = paletteOf(names, off_variant);
  const draft: Feature = { ...stored, steps: [...steps], fallback_variant: fallback };
  const dirty = JSON.stringify(draft) !== JSON.stringify(stored);
  return (
    <>
      <Head
        title={name}
        lead={
          <>
            <code>{key}</code>
            {description !== null && ` · ${description}`}
          </>
        }
      >
        <span class={`chip ${enabled ? "good" : ""}`}>{enabled ? "On" : "Off"}</span>
        <a class="button" href={hrefOf("/app/explain", { feature: key })}>
          Explain
        </a>
        <button type="button" class={enabled ? "danger" : "primary"} onClick={() => setAsked("switch")}>
          {enabled ? "Switch off" : "Switch on"}
        </button>
      </Head>
      {!enabled && (
        <p class="note warn">
          Switched off: everybody gets <b>{off_variant}</b>, and no step is asked.
        </p>
      )}
      <div class="halves">
        <Served feature={stored} placeOf={placeOf} />
        <section class="card">
          <h2>Variants</h2>
          <table class="compact">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Value</th>
                <th scope="col">Served</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(variants).map(([variant, value]) => (
                <tr key={variant}>
                  <td>
                    <Variant name={variant} place={placeOf(variant)} />
                  </td>
                  <td class="mono break">{shown(value as Json, 60)}</td>
                  <td class="small soft">{rolesOf(variant, stored)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </div>
      <section class="stack" aria-label="Steps">
        <div class="spread">
          <div>
            <h2>Steps</h2>
            <p class="soft small">Asked from top to bottom. The first that decides wins.</p>
          </div>
          <AddStep known={known} steps={steps} feature={stored} add={(step) => setSteps(withStep(steps, step))} />
        </div>
        <StepList steps={steps} set={setSteps} stored={stored} known={known} placeOf={placeOf} />
        <div class="card spread">
          <span>
            When no step decides, serve the fallback variant <span class="soft">(also when everything fails)</span>
          </span>
          <select
            aria-label="Fallback variant"
            value={fallback}
            style={{ width: "auto" }}
            onChange={({ currentTarget }) => setFallback(currentTarget.value)}
          >
            {names.map((variant) => (
              <option key={variant}>{variant}</option>
            ))}
          </select>
        </div>
      </section>
      {dirty && (
        <section class="savebar card spread" aria-label="Unsaved changes">
          <b role="status">Changed, not saved yet</b>
          <div class="row">
            <button
              type="button"
              onClick={() => {
                setSteps(stored.steps);
                setFallback(stored.fallback_variant);
              }}
            >
              Discard
            </button>
            <button type="button" class="primary" onClick={() => setAsked("save")}>
              Review and save
            </button>
          </div>
        </section>
      )}
      <Lift feature={stored} />
      <History feature={stored} restored={changed} />
      <div>
        <button type="button" class="small danger" onClick={() => setAsked("delete")}>
          Delete this feature
        </button>
      </div>
      {asked === "save" && (
        <Save
          before={stored}
          after={draft}
          close={() => setAsked(undefined)}
          saved={changed}
          title="Save the change?"
        />
      )}
      {asked === "switch" && <Switch feature={stored} close={() => setAsked(undefined)} switched={changed} />}
      {asked === "delete" && <Delete feature={stored} close={() => setAsked(undefined)} />}
    </>
  );
}

function rolesOf(variant: string, { off_variant, fallback_variant }: Feature): string {
  const roles = [
    ...(variant === off_variant ? ["while switched off"] : []),
    ...(variant === fallback_variant ? ["as fallback"] : []),
  ];
  return roles.join(", ");
}

function Served({ feature, placeOf }: { feature: Feature; placeOf: (variant: string | null) => number }) {
  const summary = useResource("summary", (signal) => get<DecisionSummary>("/decisions/summary", signal), {
    every: 3_000,
  });
  const entry = summary.value?.features.find(({ feature_key }) => feature_key === feature.key);
  const total = Object.values(entry?.served ?? {}).reduce((sum, decisions) => sum + decisions, 0);
  const shares = Object.keys(feature.variants)
    .map((name) => ({ name, share: total === 0 ? 0 : (entry?.served[name] ?? 0) / total, place: placeOf(name) }))
    .filter(({ share }) => share > 0);
  return (
    <section class="card stack">
      <h2>Served in the last hour</h2>
      {total === 0 ? (
        <p class="soft">
          {entry?.last_served_at
            ? `Nothing. Last asked ${ago(entry.last_served_at)}.`
            : "Nothing: it was never asked yet."}
        </p>
      ) : (
        <>
          <VariantBar shares={shares} />
          <VariantLegend shares={shares} />
          <p class="soft small nums">{counted(total, "decision")} by this server</p>
        </>
      )}
      <div class="row small">
        <a href={hrefOf("/app/live", { feature: feature.key })}>Watch live</a>
        <a href={hrefOf("/app/models", { feature: feature.key })}>Models</a>
        <a href={hrefOf("/app/experiments", { feature: feature.key })}>Experiments</a>
      </div>
    </section>
  );
}

function StepList({
  steps,
  set,
  stored,
  known,
  placeOf,
}: {
  steps: readonly Step[];
  set: (steps: readonly Step[]) => void;
  stored: Feature;
  known: Strategies;
  placeOf: (variant: string | null) => number;
}) {
  const [dragged, setDragged] = useState<{ from: number; to: number }>();
  if (steps.length === 0)
    return (
      <Empty title="No steps">
        <p>Everybody gets the fallback variant. Add a step to release the feature to somebody.</p>
      </Empty>
    );
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        <StepCard
          key={step.id}
          step={step}
          number={index + 1}
          last={index === steps.length - 1}
          variants={Object.keys(stored.variants)}
          off={stored.off_variant}
          known={known}
          placeOf={placeOf}
          change={(next) => set(steps.map((before, at) => (at === index ? next : before)))}
          move={(by) => set(moved(steps, index, index + by))}
          remove={() => set(steps.filter((_, at) => at !== index))}
          drag={{
            here: dragged !== undefined && dragged.to === index && dragged.from !== index,
            start: () => setDragged({ from: index, to: index }),
            over: () => dragged !== undefined && dragged.to !== index && setDragged({ ...dragged, to: index }),
            end: () => {
              if (dragged !== undefined) set(moved(steps, dragged.from, dragged.to));
              setDragged(undefined);
            },
          }}
        />
      ))}
    </ol>
  );
}

function moved(steps: readonly Step[], from: number, to: number): readonly Step[] {
  const step = steps[from];
  if (step === undefined || to < 0 || to >= steps.length) return steps;
  return steps.filter((_, at) => at !== from).toSpliced(to, 0, step);
}

/** A model or a rule belongs before the rollout, which decides for everybody. */
function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const rollout = steps.findIndex(({ strategy }) => strategy === "hash-bucketing");
  return step.strategy === "hash-bucketing" || rollout === -1 ? [...steps, step] : steps.toSpliced(rollout, 0, step);
}

function AddStep({
  known,
  steps,
  feature,
  add,
}: {
  known: Strategies;
  steps: readonly Step[];
  feature: Feature;
  add: (step: Step) => void;
}) {
  return (
    <select
      aria-label="Add a step"
      value=""
      style={{ width: "auto" }}
      onChange={({ currentTarget }) => {
        const strategy = currentTarget.value;
        currentTarget.value = "";
        add({ id: freeId(strategy, steps), strategy, config: firstConfig(strategy, feature), on_failure: "next" });
      }}
    >
      <option value="">Add a step …</option>
      {known.strategies.map(({ id }) => (
        <option key={id} value={id}>
          {STRATEGIES[id] ?? id}
        </option>
      ))}
    </select>
  );
}

function freeId(strategy: string, steps: readonly Step[]): string {
  const base = { "rule-filters": "rules", "hash-bucketing": "rollout", "ml-model": "model" }[strategy] ?? strategy;
  const taken = new Set(steps.map(({ id }) => id));
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}

function firstConfig(strategy: string, { variants, off_variant }: Feature): Json {
  const others = Object.keys(variants).filter((name) => name !== off_variant);
  if (strategy === "hash-bucketing")
    return {
      arms: [
        ...others.map((variant, index) => ({ variant, weight: index === 0 ? 5 : 0 })),
        { variant: off_variant, weight: others.length === 0 ? 100 : 95 },
      ],
    };
  if (strategy === "rule-filters")
    return { rules: [{ when: { attribute: "/plan", op: "equals", value: "pro" }, variant: others[0] ?? off_variant }] };
  return {};
}

function Save({
  before,
  after,
  title,
  reason = "",
  close,
  saved,
}: {
  before: Feature;
  after: Feature;
  title: string;
  reason?: string;
  close: () => void;
  saved: () => void;
}) {
  const write = writeOf(after);
  const path = `/features/${encodeURIComponent(before.key)}`;
  const preview = useResource(`preview ${JSON.stringify(write)}`, (signal) =>
    call<Preview>("POST", `${path}/preview`, write, { signal }),
  );
  const experiments = useResource("experiments", (signal) => get<Experiment[]>("/experiments", signal));
  return (
    <Dialog
      title={title}
      action="Save"
      close={close}
      submit={async (form) => {
        const why = String(form.get("reason") ?? "") || reason;
        await call("PUT", path, write, { reason: why, version: before.version });
        say("Saved. It is served from now on");
        saved();
      }}
    >
      <Loaded of={preview}>{(found) => <WouldChange preview={found} />}</Loaded>
      {experiments.value?.some(({ enabled, feature_key }) => enabled && feature_key === before.key) && (
        <p class="note warn">An experiment runs on this feature and decides before the steps, until it ends.</p>
      )}
      <Diff lines={diffJson(comparable(before), comparable(after))} />
      <Reason />
    </Dialog>
  );
}

function WouldChange({ preview: { decisions, changed, moves, without_attributes } }: { preview: Preview }) {
  if (decisions === 0)
    return <p class="note">No decision of this feature is stored yet, so nothing can be compared.</p>;
  return (
    <div class="note" role="status">
      <p>
        Of the last {counted(decisions, "decision")}, <b>{count(changed)}</b> would change
        {moves.length > 0 &&
          `: ${moves.map((move) => `${count(move.decisions)} ${move.from} → ${move.to}`).join(", ")}`}
        .
      </p>
      {without_attributes > 0 && (
        <p class="hint">
          Of {without_attributes === decisions ? "these" : counted(without_attributes, "decision")} only the user’s id
          was kept, so conditions on attributes count as missing.
        </p>
      )}
    </div>
  );
}

function Diff({ lines }: { lines: readonly DiffLine[] }) {
  if (lines.length === 0) return <p class="soft">Nothing is different.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="diff" aria-label="What changes" tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div class={kind} key={index}>
          {{ same: "  ", add: "+ ", del: "− " }[kind]}
          {text}
        </div>
      ))}
    </section>
  );
}

/** What decides: neither who changed it nor the buckets that the server works out. */
function comparable({ enabled, variants, off_variant, steps, fallback_variant, objective }: Feature) {
  return { enabled, variants, off_variant, steps: steps.map(withoutRanges), fallback_variant, objective };
}

function withoutRanges(step: Step): Step {
  const { config } = step;
  if (step.strategy !== "hash-bucketing" || typeof config !== "object" || config === null) return step;
  const { arms, ...rest } = config as { arms?: readonly { variant: string; weight: number }[] };
  return {
    ...step,
    config: { ...rest, arms: (arms ?? []).map(({ variant, weight }) => ({ variant, weight })) } as Json,
  };
}

/** Steps say it all: the shorthand beside them would say it twice, and differently. */
function writeOf(feature: Feature) {
  const { rollout_percentage, ml_enabled, ml_threshold_mode, ml_threshold_value, ...write } = feature;
  return write;
}

function Switch({ feature, close, switched }: { feature: Feature; close: () => void; switched: () => void }) {
  const { key, name, enabled, off_variant, version } = feature;
  return (
    <Dialog
      title={enabled ? `Switch off ${name}?` : `Switch on ${name}?`}
      action={enabled ? "Switch off" : "Switch on"}
      danger={enabled}
      close={close}
      submit={async (form) => {
        const body = { ...writeOf(feature), enabled: !enabled };
        const reason = String(form.get("reason") ?? "");
        await call("PUT", `/features/${encodeURIComponent(key)}`, body, { reason, version });
        say(enabled ? `${name} is off` : `${name} is on`);
        switched();
      }}
    >
      <p>
        {enabled ? (
          <>
            Everybody gets <b>{off_variant}</b> at once, whatever the steps, models and experiments say.
          </>
        ) : (
          "The steps decide again, for everybody as before."
        )}
      </p>
      <Reason required={enabled} hint="Kept in the history" />
    </Dialog>
  );
}

function Delete({ feature: { key, name, version }, close }: { feature: Feature; close: () => void }) {
  return (
    <Dialog
      title={`Delete ${name}?`}
      action="Delete"
      danger
      close={close}
      submit={async (form) => {
        const reason = String(form.get("reason") ?? "");
        await call("DELETE", `/features/${encodeURIComponent(key)}`, undefined, { reason, version });
        say(`${name} is deleted`);
        location.assign("/");
      }}
    >
      <p>Whoever asks for it is told that there is no such feature. Its history stays.</p>
      <Reason required />
    </Dialog>
  );
}

function Lift({ feature }: { feature: Feature }) {
  const learns = feature.steps.some(({ strategy }) => strategy === "ml-model" || strategy === "bandit");
  if (!learns) return null;
  return (
    <p class="small">
      What deciding by model adds, and what is live:{" "}
      <a href={hrefOf("/app/models", { feature: feature.key })}>models of this feature</a>.
    </p>
  );
}

function History({ feature, restored }: { feature: Feature; restored: () => void }) {
  const path = `/features/${encodeURIComponent(feature.key)}/revisions`;
  const history = useResource(`${path} ${feature.version}`, (signal) => get<Revisions>(path, signal));
  const [back, setBack] = useState<Revisions["revisions"][number]>();
  return (
    <section class="card">
      <h2>History</h2>
      <Loaded of={history}>
        {({ revisions }) => (
          <ol class="timeline">
            {revisions.slice(0, 30).map((revision, index) => (
              <li key={`${revision.version} ${revision.at}`}>
                <div class="spread">
                  <div class="grow">
                    <b>Version {revision.version}</b>{" "}
                    <span class="soft small">
                      {revision.actor},{" "}
                      <time dateTime={revision.at} title={when(revision.at)}>
                        {ago(revision.at)}
                      </time>
                    </span>
                    {revision.reason !== null && <p class="break">“{revision.reason}”</p>}
                    <Changes of={revision} since={revisions[index + 1]} />
                  </div>
                  {index > 0 && revision.definition !== null && (
                    <button type="button" class="small" onClick={() => setBack(revision)}>
                      Restore
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
      {back !== undefined && (
        <Save
          title={`Restore version ${back.version}?`}
          before={feature}
          after={{ ...feature, ...(back.definition as Partial<Feature>) }}
          reason={`Restore version ${back.version}`}
          close={() => setBack(undefined)}
          saved={restored}
        />
      )}
    </section>
  );
}

type Revision = Revisions["revisions"][number];

function Changes({ of, since }: { of: Revision; since: Revision | undefined }) {
  if (of.definition === null) return <p class="small soft">Deleted</p>;
  if (since === undefined || since.definition === null) return <p class="small soft">Created</p>;
  const [before, after] = [since.definition, of.definition] as unknown as [Feature, Feature];
  const lines = diffJson(comparable(before), comparable(after), 0);
  return (
    <details>
      <summary class="small">
        {lines.length === 0 ? "Changed in words only" : counted(lines.length, "changed line")}
      </summary>
      <Diff lines={lines} />
    </details>
  );
}
