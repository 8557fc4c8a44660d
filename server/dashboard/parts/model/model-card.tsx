import { useState } from "preact/hooks";
import { featureHref } from "../../router.ts";
import type { Model } from "../../wire.ts";
import { ago, when } from "../../words.ts";
import { CheckNow } from "./check-now.tsx";
import { GoLive } from "./go-live.tsx";
import { HEALTH } from "./health-words.ts";
import { ModelFigures } from "./model-figures.tsx";
import { StatusChip } from "./status-chip.tsx";

export function ModelCard({ model, live, changed }: { model: Model; live: Model | undefined; changed: () => void }) {
  const [asked, setAsked] = useState<"promote" | "force" | "rollback">();
  const { model_version, status, verdict, health, health_detail, feature_key, target, traffic } = model;
  const [tone, words] = HEALTH[health];
  const decides = status === "live" || traffic > 0;
  return (
    <section class="card stack" aria-label={`Model ${model_version}`}>
      <div class="spread">
        <div>
          <h2 class="break">{model_version}</h2>
          <p class="small soft">
            {model.model_name} for{" "}
            {feature_key === null ? (
              "every feature without its own"
            ) : (
              <a href={featureHref(feature_key)}>{feature_key}</a>
            )}
            , {target === "uplift" ? "learns what the variants cause" : "learns who reaches the objective"}, trained{" "}
            {when(model.trained_at)}
          </p>
        </div>
        <StatusChip model={model} />
      </div>
      <p class={`note ${status === "live" ? "good" : ""}`}>
        <b>Verdict of the gate.</b> {verdict}
      </p>
      {decides && (
        <p class={`note ${tone === "good" ? "" : tone}`}>
          {model.checked_at === null ? (
            "Not checked yet: that is done once an hour."
          ) : (
            <>
              <b>{words}.</b> {health_detail ?? "The hourly check found nothing."}{" "}
              <span class="soft">Checked {ago(model.checked_at)}.</span>
            </>
          )}
        </p>
      )}
      <ModelFigures model={model} live={live === model ? undefined : live} />
      <div class="row">
        {status === "candidate" && (
          <button type="button" class="primary" onClick={() => setAsked("promote")}>
            Promote
          </button>
        )}
        {status === "retired" && (
          <button type="button" onClick={() => setAsked("rollback")}>
            Make live again
          </button>
        )}
        {decides && <CheckNow version={model_version} asked={changed} />}
      </div>
      {asked !== undefined && (
        <GoLive
          model={model}
          how={asked}
          close={() => setAsked(undefined)}
          done={changed}
          force={() => setAsked("force")}
        />
      )}
    </section>
  );
}
