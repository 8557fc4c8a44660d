import { useRef, useState } from "preact/hooks";
import { call, get } from "../../api.ts";
import { hrefOf } from "../../router.ts";
import { useResource } from "../../use-resource.ts";
import type { TrainingJob } from "../../wire.ts";
import { ago, duration, percent } from "../../words.ts";

/** The newest trainings, followed closely while one is under way; `trained` is told when one ends. */
export function useTrainingRuns(feature: string, trained: () => void): readonly TrainingJob[] {
  const filter = feature === "" ? "" : `&feature_key=${encodeURIComponent(feature)}`;
  const [open, setOpen] = useState(false);
  const ended = useRef<string | undefined>(undefined);
  const jobs = useResource(
    `jobs ${feature}`,
    async (signal) => {
      const found = await get<{ jobs: TrainingJob[] }>(`/train/jobs?limit=10${filter}`, signal);
      setOpen(found.jobs.some(isOpen));
      const last = `${feature} ${found.jobs.find((job) => !isOpen(job))?.job_id}`;
      if (ended.current?.startsWith(`${feature} `) && ended.current !== last) trained();
      ended.current = last;
      return found;
    },
    { every: open ? 500 : 2_000 },
  );
  return jobs.value?.jobs ?? [];
}

/** Trainings under way with their progress as it goes; without one, what went wrong with the last. */
export function OpenTrainings({ runs }: { runs: readonly TrainingJob[] }) {
  const open = runs.filter(isOpen);
  const [newest] = runs;
  if (open.length === 0 && newest?.status !== "failed") return null;
  return (
    <section class="card stack" aria-label="Trainings under way">
      {open.map((job) => (
        <Running key={job.job_id} job={job} />
      ))}
      {open.length === 0 && newest !== undefined && <LastFailed job={newest} />}
    </section>
  );
}

/** Trainings that ended, but for what `OpenTrainings` tells: who wanted them, how long they took, what came of them. */
export function PastTrainings({ runs }: { runs: readonly TrainingJob[] }) {
  const past = runs.filter((job, index) => !isOpen(job) && (index > 0 || job.status !== "failed"));
  if (past.length === 0) return null;
  return (
    <section class="card">
      <h2>Training runs</h2>
      <ol class="lines">
        {past.map((job) => (
          <Past key={job.job_id} job={job} />
        ))}
      </ol>
    </section>
  );
}

function Running({ job: { job_id, feature_key, stage, progress } }: { job: TrainingJob }) {
  return (
    <div class="stack">
      <div class="spread">
        <span role="status">
          <b>Training {feature_key ?? "the global model"}</b> <span class="soft">{stage}</span>
        </span>
        <button type="button" class="small" onClick={() => void call("DELETE", `/train/jobs/${job_id}`)}>
          Cancel
        </button>
      </div>
      <progress max={1} value={progress} aria-label={`Progress: ${percent(progress, 0)}`} />
    </div>
  );
}

function LastFailed({ job }: { job: TrainingJob }) {
  return (
    <div class="stack">
      <span role="status">
        <b>Training {job.feature_key ?? "the global model"}</b> <span class="soft">failed {endOf(job)}</span>
      </span>
      {job.error !== null && <p class="note warn break">{job.error.message}</p>}
    </div>
  );
}

const REASONS: Readonly<Record<TrainingJob["reason"], string>> = {
  request: "asked for",
  schedule: "by schedule",
  volume: "after enough outcomes",
  drift: "after drift",
};

const TONES: Readonly<Record<string, string>> = { succeeded: "good", failed: "bad" };

function Past({ job }: { job: TrainingJob }) {
  const { feature_key, status, reason, started_at, finished_at, attempts, error, result } = job;
  const version = (result as { model_version?: string } | null)?.model_version;
  const seconds =
    started_at === null || finished_at === null ? undefined : (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
  return (
    <li class="spread">
      <span class="grow">
        {version === undefined ? (
          <b>{feature_key ?? "the global model"}</b>
        ) : (
          <a href={hrefOf("/app/models", { feature: feature_key ?? undefined, version })}>{version}</a>
        )}{" "}
        <span class="small soft">
          {REASONS[reason]}, {endOf(job)}
          {seconds !== undefined && `, took ${duration(Math.max(1, seconds))}`}
          {attempts > 1 && `, at attempt ${attempts}`}
        </span>
        {error !== null && <p class="small soft break">{error.message}</p>}
      </span>
      <span class={`chip ${TONES[status] ?? ""}`}>{status}</span>
    </li>
  );
}

function endOf({ finished_at, submitted_at }: TrainingJob): string {
  return ago(finished_at ?? submitted_at);
}

function isOpen({ status }: TrainingJob): boolean {
  return status === "queued" || status === "running";
}
