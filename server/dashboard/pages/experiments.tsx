import { useState } from "preact/hooks";
import { ApiError, call, get } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { ExperimentFigures } from "../parts/experiment-figures.tsx";
import { Empty, Failed, Head, Loaded } from "../parts/states.tsx";
import { say } from "../parts/toast.tsx";
import { featureHref, go, openDialog, openedDialog, query } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Experiment, ExperimentResult, Feature } from "../wire.ts";
import { ago } from "../words.ts";

/** `/app/experiments?feature=` and `/app/experiments/{id}`. */
export function ExperimentsPage({ id }: { id: string | undefined }) {
  const list = useResource("experiments", (signal) => get<Experiment[]>("/experiments", signal));
  const asked = query("feature");
  return (
    <>
      <Head title="Experiments" lead="What a variant causes: users drawn by chance, compared by what they did.">
        <button type="button" class="primary" onClick={() => openDialog("new")}>
          New experiment
        </button>
      </Head>
      <Loaded of={list}>
        {(all) => {
          const found = all.filter(({ feature_key }) => asked === "" || feature_key === asked).toReversed();
          if (id === undefined && found.length === 0)
            return (
              <Empty title={asked === "" ? "No experiment yet" : `No experiment on ${asked} yet`}>
                <p>An experiment draws users among variants and says which one does better, and how sure that is.</p>
                <button type="button" class="primary" onClick={() => openDialog("new")}>
                  New experiment
                </button>
              </Empty>
            );
          const shown = id === undefined ? found : all.filter((experiment) => String(experiment.id) === id);
          if (shown.length === 0)
            return (
              <Empty title={`There is no experiment ${id}`}>
                <p>
                  <a href="/app/experiments">All experiments</a> of this environment are listed.
                </p>
              </Empty>
            );
          return (
            <div class="stack roomy">
              {shown.map((experiment) => (
                <ExperimentCard key={experiment.id} experiment={experiment} changed={list.reload} />
              ))}
            </div>
          );
        }}
      </Loaded>
      {openedDialog() === "new" && <Create feature={asked} created={list.reload} />}
    </>
  );
}

function ExperimentCard({ experiment, changed }: { experiment: Experiment; changed: () => void }) {
  const { id, name, feature_key, primary_metric_event, enabled, created_at, ended_at } = experiment;
  const path = `/experiments/${id}/result`;
  const result = useResource(path, (signal) => get<ExperimentResult>(path, signal), enabled ? { every: 5_000 } : {});
  const [error, setError] = useState<ApiError>();
  const change = (action: "start" | "stop") =>
    call("POST", `/experiments/${id}/${action}`).then(
      () => {
        say(action === "stop" ? "It has ended: the steps decide again" : "It runs");
        changed();
      },
      (cause: unknown) => setError(cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause))),
    );
  const state = enabled ? "running" : ended_at === null ? "not started" : "ended";
  return (
    <section class="card stack" aria-label={name}>
      <div class="spread">
        <div class="grow">
          <h2 class="break">
            <a href={`/app/experiments/${id}`}>{name}</a> <span class={`chip ${enabled ? "good" : ""}`}>{state}</span>
          </h2>
          <p class="small soft">
            on <a href={featureHref(feature_key)}>{feature_key}</a>, success is the event “{primary_metric_event}”,{" "}
            {ended_at === null ? `created ${ago(created_at)}` : `ended ${ago(ended_at)}`}
          </p>
        </div>
        {state === "running" && (
          <button type="button" onClick={() => change("stop")}>
            End it
          </button>
        )}
        {state === "not started" && (
          <button type="button" class="primary" onClick={() => change("start")}>
            Start
          </button>
        )}
      </div>
      {error !== undefined && <Failed error={error} />}
      <Loaded of={result}>{(found) => <ExperimentFigures experiment={experiment} result={found} />}</Loaded>
    </section>
  );
}

function Create({ feature, created }: { feature: string; created: () => void }) {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  return (
    <Dialog
      title="New experiment"
      action="Start it"
      submit={async (form) => {
        await call("POST", "/experiments", {
          name: form.get("name"),
          feature_key: form.get("feature"),
          primary_metric_event: form.get("event"),
          min_samples_per_variant: Number(form.get("samples")),
          min_lift: Number(form.get("lift")) / 100,
        });
        say("It runs: its split decides for the feature");
        created();
        go("/app/experiments");
      }}
    >
      <div>
        <label for="x-name">Name</label>
        <input id="x-name" name="name" required maxLength={200} autocomplete="off" />
      </div>
      <div>
        <label for="x-feature">Feature</label>
        <select id="x-feature" name="feature" required>
          {features.value?.map(({ key, name }) => (
            <option key={key} value={key} selected={key === feature}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label for="x-event">Event that counts as success</label>
        <input id="x-event" name="event" required maxLength={100} placeholder="purchase" autocomplete="off" />
      </div>
      <div class="halves">
        <div>
          <label for="x-samples">Users each arm needs</label>
          <input id="x-samples" name="samples" type="number" min={1} required defaultValue="100" />
        </div>
        <div>
          <label for="x-lift">Smallest lift worth it, in points</label>
          <input id="x-lift" name="lift" type="number" min={0} max={100} step="any" required defaultValue="2" />
        </div>
      </div>
      <p class="hint">The off variant and the other one, half and half. While it runs it decides before the steps.</p>
    </Dialog>
  );
}
