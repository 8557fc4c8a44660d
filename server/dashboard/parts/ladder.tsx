import type { ComponentChildren } from "preact";
import { type Evidence, evidenceOf, OUTCOMES, STRATEGIES } from "../explanation.ts";
import type { Decision, Feature, StepTrace } from "../wire.ts";
import { CAUSES, count, percent } from "../words.ts";
import { BucketStrip } from "./bucket-strip.tsx";
import { ConditionTable } from "./condition-table.tsx";
import { Contributions, SmallestChange } from "./contributions.tsx";
import { Heads } from "./heads.tsx";
import { Panel } from "./panel.tsx";
import { ScoreChart } from "./score-chart.tsx";
import { Scroll } from "./scroll.tsx";
import { Variant } from "./variant.tsx";

type PlaceOf = (variant: string | null) => number;

/** One rung a step, in the order they are asked; the experiment before them and the fallback after them. */
export function Ladder({
  decision,
  feature,
  placeOf,
}: {
  decision: Decision;
  feature: Feature | undefined;
  placeOf: PlaceOf;
}) {
  const { decision_source, experiment, variant } = decision;
  const traced = decision.trace?.steps ?? [];
  const drawn = experiment === null ? undefined : traced.find(({ strategy }) => strategy === "experiment");
  const { bucket, probability } = evidenceOf(drawn?.evidence);
  const steps = traced.filter((step) => step !== drawn);
  return (
    <ol class="ladder" aria-label="Steps, in the order they are asked">
      {decision_source === "feature_disabled" && (
        <Rung mark="⏻" outcome="decided" title="Kill switch" state="Decided">
          <p>The feature is off: no step is asked.</p>
        </Rung>
      )}
      {experiment !== null && (
        <Rung mark="E" outcome="decided" title={experiment.experiment_name} kind="experiment" state="Decided">
          <p>
            A running experiment decides before the steps: arm {experiment.variant} serves{" "}
            {variant !== null && <Variant name={variant} place={placeOf(variant)} />}.
            {bucket != null && ` Its own split put this user into bucket ${count(bucket)} of 100,000`}
            {bucket != null && (probability === undefined ? "." : `; the arm has ${percent(probability)} of them.`)}
          </p>
        </Rung>
      )}
      {steps.map((step, index) => (
        <StepRung key={step.id} step={step} number={index + 1} placeOf={placeOf} />
      ))}
      {decision_source === "fallback" && (
        <Rung mark="↓" outcome="decided" title="Fallback variant" state="Served">
          <p>
            No step decided, so {variant !== null && <Variant name={variant} place={placeOf(variant)} />} is served.
          </p>
        </Rung>
      )}
      {feature !== undefined && steps.length === 0 && decision_source !== "fallback" && (
        <li class="soft">This feature has no steps.</li>
      )}
    </ol>
  );
}

function StepRung({ step, number, placeOf }: { step: StepTrace; number: number; placeOf: PlaceOf }) {
  const { id, strategy, outcome, would } = step;
  return (
    <Rung
      mark={outcome === "decided" ? "✓" : String(number)}
      outcome={outcome}
      title={id}
      kind={STRATEGIES[strategy] === undefined ? strategy : `${STRATEGIES[strategy]} · ${strategy}`}
      state={OUTCOMES[outcome]}
    >
      {outcome === "unreached" ? (
        would === undefined ? (
          <p class="soft">A step above decided. What it would have said cannot be told without waiting for it.</p>
        ) : (
          <Panel
            name={`step-${id}`}
            class="would"
            summary={
              <>
                A step above decided. It would have {said(would)}
                {would.variant !== undefined && (
                  <>
                    {" "}
                    <Variant name={would.variant} place={placeOf(would.variant)} />
                  </>
                )}
              </>
            }
          >
            <Told told={would} placeOf={placeOf} />
          </Panel>
        )
      ) : (
        <Told told={step} placeOf={placeOf} />
      )}
    </Rung>
  );
}

function said({ outcome, cause }: NonNullable<StepTrace["would"]>): string {
  if (outcome === "decided") return "served";
  if (outcome === "skipped") return "been passed over: its condition does not hold.";
  return `left it to the next step: ${CAUSES[cause ?? "no_match"] ?? cause}.`;
}

type ToldStep = Pick<StepTrace, "outcome" | "cause" | "detail" | "variant" | "when" | "evidence">;

function Told({ told, placeOf }: { told: ToldStep; placeOf: PlaceOf }) {
  const { outcome, cause, detail, variant, when, evidence } = told;
  const found = evidenceOf(evidence);
  const known = found.rules !== undefined || found.arms !== undefined || found.contributions !== undefined;
  return (
    <>
      <p>
        {outcome === "decided" && variant !== undefined && (
          <>
            Serves <Variant name={variant} place={placeOf(variant)} />.{" "}
          </>
        )}
        {outcome === "failed" && cause !== undefined && <>Because {CAUSES[cause] ?? cause}. </>}
        {detail !== undefined && <span class="soft">{detail}.</span>}
      </p>
      {when !== undefined && <ConditionTable trace={when} caption="Asked only when" />}
      {found.rules?.map(({ id, variant: serves, when: condition }) =>
        condition === undefined ? null : (
          <ConditionTable key={id} trace={condition} caption={`Rule ${id}: serves ${serves} when`} />
        ),
      )}
      {found.arms !== undefined && <BucketStrip arms={found.arms} bucket={found.bucket ?? null} placeOf={placeOf} />}
      <ModelEvidence found={found} placeOf={placeOf} />
      {evidence !== undefined && !known && Object.keys(found).length > 0 && (
        <Panel name="evidence" summary="What it looked at">
          <pre>{JSON.stringify(evidence, null, 2)}</pre>
        </Panel>
      )}
    </>
  );
}

function ModelEvidence({ found, placeOf }: { found: Evidence; placeOf: PlaceOf }) {
  const { score, threshold, population, outcomes, safe, contributions, contributions_method, smallest_change } = found;
  return (
    <>
      {population !== undefined && score !== undefined && threshold !== undefined && (
        <ScoreChart score={score} threshold={threshold} population={population} />
      )}
      {outcomes !== undefined && (
        <Scroll label="Expected outcomes">
          <table class="compact">
            <Heads
              names={["Variant", "Expected outcome", `Against ${safe}`]}
              figures={["Expected outcome", `Against ${safe}`]}
            />
            <tbody>
              {outcomes.map(({ variant, outcome }) => {
                const base = outcomes.find(({ variant }) => variant === safe)?.outcome ?? 0;
                return (
                  <tr key={variant}>
                    <td>
                      <Variant name={variant} place={placeOf(variant)} />
                    </td>
                    <td class="num">{percent(outcome, 2)}</td>
                    <td class="num">{variant === safe ? "safe" : percent(outcome - base, 2)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
      {contributions !== undefined && (
        <Contributions items={contributions} method={contributions_method ?? "approximate"} />
      )}
      {smallest_change !== undefined && (
        <div class="note">
          <h3>What would change it</h3>
          <SmallestChange change={smallest_change} />
        </div>
      )}
    </>
  );
}

function Rung({
  mark,
  outcome,
  title,
  kind,
  state,
  children,
}: {
  mark: string;
  outcome: string;
  title: string;
  kind?: string;
  state: string;
  children: ComponentChildren;
}) {
  return (
    <li class={`rung ${outcome}`}>
      <span class="mark" aria-hidden="true">
        {mark}
      </span>
      <header>
        <h3 class="break">{title}</h3>
        {kind !== undefined && <span class="small soft">{kind}</span>}
        <span class="state">{state}</span>
      </header>
      <div class="body">{children}</div>
    </li>
  );
}
