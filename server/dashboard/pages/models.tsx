import type { PlotOptions } from "@observablehq/plot";
import { useCallback, useRef, useState } from "preact/hooks";
import { ApiError, call, get } from "../api.ts";
import { CheckReport } from "../parts/check-report.tsx";
import { Dialog, Reason } from "../parts/dialog.tsx";
import { LiftCard } from "../parts/lift-card.tsx";
import { Chart } from "../parts/plot.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Empty, Failed, Head, Loaded } from "../parts/states.tsx";
import { say } from "../parts/toast.tsx";
import { featureHref, query, setQuery } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, Json, Model, ModelCheck, TrainingJob } from "../wire.ts";
import { ago, count, percent, trimmed, when } from "../words.ts";

const HEALTH = {
  fresh: ["good", "Healthy"],
  warning: ["warn", "Drifting"],
  stopped: ["bad", "Stopped: its steps fall back"],
} as const;

/** `/app/models?feature=&version=`: the champion, its challengers, and every training. */
export function ModelsPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const asked = query("feature");
  const filter = asked === "" ? "" : `&feature_key=${encodeURIComponent(asked)}`;
  const runs = useResource(`runs ${asked}`, (signal) =>
    get<{ runs: Model[] }>(`/model/runs?limit=100${filter}`, signal),
  );
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
        <Train feature={asked} trained={runs.reload} />
      </Head>
      <Jobs feature={asked} trained={runs.reload} />
      <Loaded of={runs}>{({ runs: models }) => <Models models={models} changed={runs.reload} />}</Loaded>
      {asked !== "" && <LiftCard feature={asked} />}
    </>
  );
}

function Models({ models, changed }: { models: readonly Model[]; changed: () => void }) {
  if (models.length === 0)
    return (
      <Empty title="No model was trained yet">
        <p>
          A model learns from stored decisions and the events that followed. Choose a feature and train; until one
          passes its gate, the other steps decide.
        </p>
      </Empty>
    );
  const asked = query("version");
  const chosen =
    models.find(({ model_version }) => model_version === asked) ?? models.find(isLive) ?? (models[0] as Model);
  return (
    <div class="split wide-left">
      <section class="card" aria-label="Versions">
        <h2>Versions</h2>
        <ol class="versions">
          {models.map((model) => (
            <li key={model.model_version}>
              <button
                type="button"
                class="version"
                aria-pressed={model === chosen}
                onClick={() => setQuery({ version: model.model_version })}
              >
                <span class="break">
                  <b>{model.model_version}</b>
                  <small class="soft">
                    {model.model_name} · {ago(model.trained_at)}
                  </small>
                </span>
                <StatusChip model={model} />
              </button>
            </li>
          ))}
        </ol>
      </section>
      <ModelCard
        key={chosen.model_version}
        model={chosen}
        live={models.find((other) => isLive(other) && other.feature_key === chosen.feature_key)}
        changed={changed}
      />
    </div>
  );
}

function isLive({ status }: Model): boolean {
  return status === "live";
}

function StatusChip({ model: { status, traffic, health } }: { model: Model }) {
  if (status === "live") return <span class={`chip ${HEALTH[health][0]}`}>live</span>;
  if (traffic > 0) return <span class="chip warn">takes over {percent(traffic, 0)}</span>;
  return <span class="chip">{status}</span>;
}

function ModelCard({ model, live, changed }: { model: Model; live: Model | undefined; changed: () => void }) {
  const [asked, setAsked] = useState<"promote" | "force" | "rollback">();
  const { model_version, status, verdict, health, health_detail, feature_key, target, traffic } = model;
  const [tone, words] = HEALTH[health];
  const decides = status === "live" || traffic > 0;
  return (
    <div class="stack">
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
            <b>{words}.</b> {health_detail ?? "The hourly check found nothing."}{" "}
            {model.checked_at !== null && <span class="soft">Checked {ago(model.checked_at)}.</span>}
          </p>
        )}
        <Figures model={model} live={live === model ? undefined : live} />
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
      </section>
      <Benchmark model={model} />
      <Checks version={model_version} />
      {asked !== undefined && (
        <GoLive
          model={model}
          how={asked}
          close={() => setAsked(undefined)}
          done={changed}
          force={() => setAsked("force")}
        />
      )}
    </div>
  );
}

type Figure = readonly [name: string, field: string, kind: "share" | "number", better: "more" | "less"];

const FIGURES: readonly Figure[] = [
  ["ROC AUC", "roc_auc", "number", "more"],
  ["Log loss", "log_loss", "number", "less"],
  ["Base rate’s log loss", "base_rate_log_loss", "number", "less"],
  ["Calibration error", "ece", "share", "less"],
  ["Precision", "precision", "share", "more"],
  ["Recall", "recall", "share", "more"],
];

function fieldsOf(value: Json): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};
}

/** The model's measures on rows it never saw, beside the live model's when it is another. */
function Figures({ model, live }: { model: Model; live: Model | undefined }) {
  const own = fieldsOf(model.metrics);
  const others = fieldsOf(live?.metrics ?? null);
  const data = fieldsOf(model.dataset_profile);
  const known = FIGURES.filter(([, field]) => typeof own[field] === "number");
  const said = (value: Json | undefined, kind: string) =>
    typeof value !== "number" ? "–" : kind === "share" ? percent(value) : trimmed(value, 3);
  return (
    <>
      <dl class="facts">
        {known.map(([name, field, kind, better]) => (
          <div key={field}>
            <dt>{name}</dt>
            <dd>
              {said(own[field], kind)}
              <small>{live === undefined ? `${better} is better` : `live model: ${said(others[field], kind)}`}</small>
            </dd>
          </div>
        ))}
      </dl>
      {typeof data.rows === "number" && (
        <p class="small soft">
          Learned from {count(data.rows)} moments
          {typeof data.positive_rate === "number" && `, of which ${percent(data.positive_rate)} reached the objective`}
          {typeof data.test_rows === "number" &&
            `; measured on the newest ${count(data.test_rows)}, which it never saw`}
          .
        </p>
      )}
    </>
  );
}

interface Learner {
  readonly model_name: string;
  readonly status: string;
  readonly log_loss?: number;
  readonly roc_auc?: number;
  readonly ece?: number;
  readonly seconds?: number;
}

function Benchmark({ model }: { model: Model }) {
  const learners = (Array.isArray(model.benchmark) ? model.benchmark : []) as unknown as readonly Learner[];
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const fitted = learners.filter(({ log_loss }) => log_loss !== undefined);
      const base = fieldsOf(model.metrics).base_rate_log_loss;
      return {
        width,
        marginTop: 6,
        marginBottom: 38,
        height: 44 + fitted.length * 32,
        marginLeft: 76,
        marginRight: 24,
        x: { label: "log loss, less is better", grid: true, zero: false, ticks: 5, inset: 12 },
        y: { label: null, tickSize: 0 },
        marks: [
          ...(typeof base === "number" ? [Plot.ruleX([base], { stroke: "var(--edge)", strokeDasharray: "4,3" })] : []),
          Plot.dot(fitted, {
            x: "log_loss",
            y: "model_name",
            r: 6,
            fill: (learner: Learner) => (learner.model_name === model.model_name ? "var(--v1)" : "var(--v0)"),
            stroke: "var(--edge)",
          }),
        ],
      };
    },
    [learners, model],
  );
  if (learners.length === 0) return null;
  return (
    <section class="card stack">
      <h2>Learners that were tried</h2>
      {learners.length > 1 && (
        <Chart
          label={`Log loss of ${learners.map(({ model_name, log_loss }) => `${model_name} ${trimmed(log_loss ?? 0, 3)}`).join(", ")}; the dashed line is the base rate's`}
          options={options}
        />
      )}
      <Scroll label="Learners">
        <table class="compact">
          <thead>
            <tr>
              <th scope="col">Learner</th>
              <th scope="col" class="num">
                Log loss
              </th>
              <th scope="col" class="num">
                ROC AUC
              </th>
              <th scope="col" class="num">
                Calibration error
              </th>
              <th scope="col" class="num">
                Seconds
              </th>
            </tr>
          </thead>
          <tbody>
            {learners.map(({ model_name, status, log_loss, roc_auc, ece, seconds }) => (
              <tr key={model_name}>
                <td>
                  {model_name} {model_name === model.model_name && <span class="chip good">kept</span>}
                  {status !== "fitted" && <span class="small soft break"> {status}</span>}
                </td>
                <td class="num">{log_loss === undefined ? "–" : trimmed(log_loss, 3)}</td>
                <td class="num">{roc_auc === undefined ? "–" : trimmed(roc_auc, 3)}</td>
                <td class="num">{ece === undefined ? "–" : percent(ece)}</td>
                <td class="num">{seconds === undefined ? "–" : trimmed(seconds, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Checks({ version }: { version: string }) {
  const path = `/models/${encodeURIComponent(version)}/checks`;
  const checks = useResource(path, (signal) => get<{ checks: ModelCheck[] }>(path, signal), { every: 10_000 });
  return (
    <section class="card stack">
      <h2>Hourly checks</h2>
      <Loaded of={checks}>
        {({ checks: list }) =>
          list.length === 0 ? (
            <p class="soft">
              None yet. Once an hour, every model that decides is checked: do inputs and scores look as in training, do
              its probabilities come true, do its users do worse than those held out?
            </p>
          ) : (
            <ol class="timeline">
              {list.map((check, index) => (
                <li key={check.at}>
                  <span class={`chip ${HEALTH[check.health][0]}`}>{check.health}</span>{" "}
                  <span class="soft small">{ago(check.at)}</span>
                  <p>{check.detail ?? "Nothing was found."}</p>
                  {index === 0 ? (
                    <CheckReport report={check.report} />
                  ) : (
                    <details>
                      <summary class="small">What was measured</summary>
                      <CheckReport report={check.report} />
                    </details>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </section>
  );
}

function CheckNow({ version, asked }: { version: string; asked: () => void }) {
  const [error, setError] = useState<ApiError>();
  const check = async () => {
    try {
      await call("POST", `/models/${encodeURIComponent(version)}/checks`);
      say("It is checked as soon as a worker is free");
      asked();
    } catch (cause) {
      setError(cause as ApiError);
    }
  };
  return (
    <>
      <button type="button" onClick={check}>
        Check now
      </button>
      {error !== undefined && <Failed error={error} />}
    </>
  );
}

function GoLive({
  model: { model_version, verdict },
  how,
  close,
  done,
  force,
}: {
  model: Model;
  how: "promote" | "force" | "rollback";
  close: () => void;
  done: () => void;
  force: () => void;
}) {
  const title = { promote: "Promote", force: "Promote against the verdict", rollback: "Make live again" }[how];
  const path = `/models/${encodeURIComponent(model_version)}`;
  return (
    <Dialog
      key={how}
      title={`${title}: ${model_version}`}
      action={title}
      danger={how === "force"}
      close={close}
      submit={async (form) => {
        const reason = String(form.get("reason") ?? "") || undefined;
        if (how === "rollback") await call("POST", `${path}/rollback`, { reason });
        else
          try {
            await call("POST", `${path}/promote`, { reason, force: how === "force" });
          } catch (error) {
            if (error instanceof ApiError && error.code === "not_better")
              throw new ApiError(
                409,
                error.code,
                `${error.message} To promote it all the same, choose “Promote anyway”.`,
              );
            throw error;
          }
        say(`${model_version} is live`);
        done();
      }}
    >
      <p>It decides for all of the model’s users at once, and the present live model is retired.</p>
      <p class="note">
        <b>Verdict of the gate.</b> {verdict}
      </p>
      <Reason required={how === "force"} hint="Kept in the audit log" />
      {how === "promote" && (
        <p>
          <button type="button" class="small danger" onClick={force}>
            Promote anyway …
          </button>
        </p>
      )}
    </Dialog>
  );
}

function Train({ feature, trained }: { feature: string; trained: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        Train now
      </button>
      {open && (
        <Dialog
          title={feature === "" ? "Train the global model?" : `Train a model for ${feature}?`}
          action="Train"
          close={() => setOpen(false)}
          submit={async (form) => {
            const learner = String(form.get("learner"));
            await call("POST", "/train/async", { feature_key: feature === "" ? null : feature, learner });
            say("Queued");
            trained();
          }}
        >
          <p>
            It learns from what is stored now, and goes live only when it passes its gate.
            {feature === "" && " A global model decides for every feature that has none of its own."}
          </p>
          <div>
            <label for="learner">Learner</label>
            <select id="learner" name="learner">
              <option value="auto">Automatic: tries all, keeps the best</option>
              <option value="logistic">Logistic regression</option>
              <option value="trees">Boosted trees</option>
              <option value="svm">Support vector machine</option>
              <option value="ridge">Ridge (for bandits)</option>
            </select>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Trainings under way with their progress, and the last that failed. */
function Jobs({ feature, trained }: { feature: string; trained: () => void }) {
  const filter = feature === "" ? "" : `&feature_key=${encodeURIComponent(feature)}`;
  const [open, setOpen] = useState(false);
  const ended = useRef<string | undefined>(undefined);
  const jobs = useResource(
    `jobs ${feature}`,
    async (signal) => {
      const found = await get<{ jobs: TrainingJob[] }>(`/train/jobs?limit=5${filter}`, signal);
      setOpen(found.jobs.some(isOpen));
      const last = found.jobs.find((job) => !isOpen(job))?.job_id ?? "";
      if (ended.current !== undefined && ended.current !== last) trained();
      ended.current = last;
      return found;
    },
    { every: open ? 500 : 2_000 },
  );
  const list = jobs.value?.jobs ?? [];
  const shown = [...list.filter(isOpen), ...list.slice(0, 1).filter(({ status }) => status === "failed")];
  if (shown.length === 0) return null;
  return (
    <section class="card stack" aria-label="Trainings">
      {shown.map((job) => (
        <div key={job.job_id} class="stack">
          <div class="spread">
            <span role="status">
              <b>Training {job.feature_key ?? "the global model"}</b>{" "}
              <span class="soft">
                {job.status === "failed" ? `failed ${ago(job.finished_at ?? job.submitted_at)}` : job.stage}
              </span>
            </span>
            {isOpen(job) && (
              <button type="button" class="small" onClick={() => void call("DELETE", `/train/jobs/${job.job_id}`)}>
                Cancel
              </button>
            )}
          </div>
          {isOpen(job) && (
            <progress max={1} value={job.progress} aria-label={`Progress: ${percent(job.progress, 0)}`} />
          )}
          {job.error !== null && <p class="note warn break">{job.error.message}</p>}
        </div>
      ))}
    </section>
  );
}

function isOpen({ status }: TrainingJob): boolean {
  return status === "queued" || status === "running";
}
