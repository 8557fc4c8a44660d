import { featureHref, openDialog, openedDialog, query } from "../../router.ts";
import type { Model } from "../../wire.ts";
import { ago, when } from "../../words.ts";
import { CheckNow } from "./check-now.tsx";
import { type GoingLive, GoLive } from "./go-live.tsx";
import { HEALTH } from "./health-words.ts";
import { ModelFigures } from "./model-figures.tsx";
import { StatusChip } from "./status-chip.tsx";

/** By the state of a version. */
const WAYS: Readonly<Record<string, readonly GoingLive[]>> = { candidate: ["promote", "force"], retired: ["rollback"] };

export function ModelCard({ model, live, changed }: { model: Model; live: Model | undefined; changed: () => void }) {
  const { model_version, status, verdict, health, health_detail, feature_key, target, traffic } = model;
  const [tone, words] = HEALTH[health];
  // An address without its version would ask about another model tomorrow.
  const open = (dialog: GoingLive) => () => openDialog(dialog, { version: model_version });
  const asked = query("version") === model_version ? WAYS[status]?.find((way) => way === openedDialog()) : undefined;
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
          <button type="button" class="primary" onClick={open("promote")}>
            Promote
          </button>
        )}
        {status === "retired" && (
          <button type="button" onClick={open("rollback")}>
            Make live again
          </button>
        )}
        {decides && <CheckNow version={model_version} asked={changed} />}
      </div>
      {asked !== undefined && <GoLive model={model} how={asked} done={changed} />}
    </section>
  );
}
