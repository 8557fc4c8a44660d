import { useMemo } from "preact/hooks";
import { get } from "../../api.ts";
import { featureHref } from "../../router.ts";
import { useResource } from "../../use-resource.ts";
import type { HoldoutLift } from "../../wire.ts";
import { count, percent, SOURCES } from "../../words.ts";
import { AsTable } from "../as-table.tsx";
import { IntervalChart } from "../interval-chart.tsx";
import { Loaded } from "../states.tsx";

const TONES: Readonly<Record<HoldoutLift["verdict"], string>> = {
  lifts: "good",
  worse: "bad",
  no_evidence: "",
  no_holdout: "",
  sample_ratio_mismatch: "warn",
};

/** What deciding by model adds to the objective, against those held out. */
export function LiftCard({ feature }: { feature: string }) {
  const path = `/features/${encodeURIComponent(feature)}/lift`;
  const lift = useResource(path, (signal) => get<HoldoutLift>(path, signal));
  return (
    <section class="card stack">
      <h2>What deciding by model adds</h2>
      <Loaded of={lift}>
        {(found) => (found.verdict === "no_holdout" ? <NoHoldout lift={found} /> : <Lift lift={found} />)}
      </Loaded>
    </section>
  );
}

function NoHoldout({ lift: { message, feature_key } }: { lift: HoldoutLift }) {
  return (
    <p class="note">
      {message}. <a href={featureHref(feature_key)}>To the feature</a>
    </p>
  );
}

function Lift({ lift }: { lift: HoldoutLift }) {
  const { verdict, message, absolute_lift, interval, model, holdout, immature_users, decisions } = lift;
  const rows = useMemo(
    () => (absolute_lift === null ? [] : [{ name: "lift", value: absolute_lift, interval }]),
    [absolute_lift, interval],
  );
  return (
    <>
      <p class={`note ${TONES[verdict]}`}>{message}</p>
      {absolute_lift !== null && (
        <>
          <IntervalChart rows={rows} axis="Model less holdout" zero />
          <AsTable
            label="The difference"
            head={["Model less holdout", "Estimate", "From", "To"]}
            rows={[["Difference", ...[absolute_lift, ...(interval ?? [])].map((share) => percent(share))]]}
          />
        </>
      )}
      <dl class="facts">
        <Group name="Decided by model" users={model.users} mean={model.mean} />
        <Group name="Held out" users={holdout.users} mean={holdout.mean} />
        <div>
          <dt>Too recent to count</dt>
          <dd>{count(immature_users)}</dd>
        </div>
      </dl>
      {decisions.total > 0 && (
        <p class="small soft">
          Of {count(decisions.total)} stored decisions:{" "}
          {decisions.by_source
            .map(({ decision_source, share }) => `${SOURCES[decision_source] ?? decision_source} ${percent(share)}`)
            .join(", ")}
          .
        </p>
      )}
    </>
  );
}

function Group({ name, users, mean }: { name: string; users: number; mean: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {mean === null ? "–" : percent(mean)}
        <small>{count(users)} users</small>
      </dd>
    </div>
  );
}
