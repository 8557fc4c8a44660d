import { get } from "../api.ts";
import { CalibrationCard } from "../parts/model/calibration-card.tsx";
import { ChecksCard } from "../parts/model/checks-card.tsx";
import { LearnersCard } from "../parts/model/learners-card.tsx";
import { LiftCard } from "../parts/model/lift-card.tsx";
import { ModelCard } from "../parts/model/model-card.tsx";
import { ScoreDistribution } from "../parts/model/score-distribution.tsx";
import { TrainNow } from "../parts/model/train-now.tsx";
import { OpenTrainings, PastTrainings, useTrainingRuns } from "../parts/model/training-runs.tsx";
import { TrainingsCard } from "../parts/model/trainings-card.tsx";
import { VersionsCard } from "../parts/model/versions-card.tsx";
import { Empty, Head, Loaded } from "../parts/states.tsx";
import { query, setQuery } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, Model } from "../wire.ts";

/** `/app/models?feature=&version=`: the champion, its challengers, and every training. */
export function ModelsPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const asked = query("feature");
  const filter = asked === "" ? "" : `&feature_key=${encodeURIComponent(asked)}`;
  const runs = useResource(`runs ${asked}`, (signal) =>
    get<{ runs: Model[] }>(`/model/runs?limit=100${filter}`, signal),
  );
  const trainings = useTrainingRuns(asked, runs.reload);
  return (
    <>
      <Head title="Models" lead="Which model decides, whether it can be trusted, and what was trained.">
        <select
          aria-label="Feature"
          value={asked}
          style={{ width: "auto", maxWidth: "16rem" }}
          onChange={({ currentTarget }) => setQuery({ feature: currentTarget.value, version: null })}
        >
          <option value="">All features</option>
          {features.value?.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
        <TrainNow feature={asked} trained={runs.reload} />
      </Head>
      <OpenTrainings runs={trainings} />
      <Loaded of={runs}>
        {({ runs: models }) =>
          models.length === 0 ? (
            <NoModel />
          ) : (
            <Models models={models} features={features.value ?? []} changed={runs.reload} />
          )
        }
      </Loaded>
      {asked !== "" && <LiftCard feature={asked} />}
      <PastTrainings runs={trainings} />
    </>
  );
}

function NoModel() {
  return (
    <Empty title="No model was trained yet">
      <p>
        A model learns from stored decisions and the events that followed. Choose a feature and train; until one passes
        its gate, the other steps decide.
      </p>
    </Empty>
  );
}

interface ModelsProps {
  readonly models: readonly Model[];
  readonly features: readonly Feature[];
  changed(): void;
}

function Models({ models, features, changed }: ModelsProps) {
  const asked = query("version");
  const chosen =
    models.find(({ model_version }) => model_version === asked) ?? models.find(isLive) ?? (models[0] as Model);
  const ofScope = models.filter(({ feature_key }) => feature_key === chosen.feature_key);
  return (
    <div class="split">
      {asked !== "" && asked !== chosen.model_version && (
        <p class="note warn whole">
          There is no version <code class="break">{asked}</code> here. This is {chosen.model_version}.
        </p>
      )}
      <VersionsCard models={models} chosen={chosen} />
      <div class="stack roomy" key={chosen.model_version}>
        <ModelCard model={chosen} live={ofScope.find(isLive)} changed={changed} />
        <div class="halves">
          <CalibrationCard model={chosen} />
          <ScoreDistribution model={chosen} feature={features.find(({ key }) => key === chosen.feature_key)} />
        </div>
        <ChecksCard version={chosen.model_version} />
        <LearnersCard model={chosen} />
        <TrainingsCard models={ofScope} />
      </div>
    </div>
  );
}

function isLive({ status }: Model): boolean {
  return status === "live";
}
