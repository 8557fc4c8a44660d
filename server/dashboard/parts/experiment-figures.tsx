import { useMemo } from "preact/hooks";
import type { Experiment, ExperimentResult } from "../wire.ts";
import { count, percent, signed, trimmed } from "../words.ts";
import { Heads } from "./heads.tsx";
import { IntervalChart } from "./interval-chart.tsx";
import { Scroll } from "./scroll.tsx";

interface Arm {
  readonly name: string;
  readonly variant: string;
  readonly weight: number;
  readonly users: number;
  readonly positives: number;
  readonly rate: number | null;
  /** Wilson's, 95 %: for people; what is decided comes from the server. */
  readonly interval: readonly [number, number] | null;
  readonly best: number;
  readonly compared: ExperimentResult["comparisons"][number] | undefined;
}

/** What an experiment says: first whether it can be trusted, then how sure it is, as pictures and as a table of the same numbers. */
export function ExperimentFigures({ experiment, result }: { experiment: Experiment; result: ExperimentResult }) {
  const { sample_ratio, decision, message } = result;
  const arms = useMemo(() => armsOf(experiment, result), [experiment, result]);
  if (!sample_ratio.ok)
    return (
      <>
        <p class="note bad" role="alert">
          <b>Nothing here can be trusted.</b> {sample_ratio.message}
        </p>
        <Arms arms={arms} />
      </>
    );
  return (
    <>
      <p class={`note ${decision.startsWith("stop_promote") ? "good" : ""}`}>{message}</p>
      <Charts arms={arms} />
      <Arms arms={arms} early={decision === "continue"} />
      {arms.some(({ users }) => users > 0) && <p class="small soft">{sample_ratio.message}</p>}
    </>
  );
}

function armsOf(experiment: Experiment, result: ExperimentResult): readonly Arm[] {
  return experiment.arms.map(({ name, variant, weight }) => {
    const { samples: users = 0, positives = 0 } = result.variant_stats[name] ?? {};
    return {
      ...{ name, variant, weight, users, positives },
      rate: users === 0 ? null : positives / users,
      interval: users === 0 ? null : wilson(positives, users),
      best: result.probability_best[name] ?? 0,
      compared: result.comparisons.find(({ arm }) => arm === name),
    };
  });
}

function wilson(positives: number, users: number): readonly [number, number] {
  const z = 1.96;
  const rate = positives / users;
  const scale = 1 + z ** 2 / users;
  const middle = (rate + z ** 2 / (2 * users)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / users + z ** 2 / (4 * users ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function Charts({ arms }: { arms: readonly Arm[] }) {
  const rates = useMemo(
    () =>
      arms.flatMap(({ name, variant, rate, interval }) =>
        rate === null ? [] : [{ name: `${name} ${variant}`, value: rate, interval }],
      ),
    [arms],
  );
  const lifts = useMemo(
    () =>
      arms.flatMap(({ name, variant, compared }) =>
        compared === undefined || compared.interval === null
          ? []
          : [{ name: `${name} ${variant}`, value: compared.absolute_lift, interval: compared.interval }],
      ),
    [arms],
  );
  const level = arms.find(({ compared }) => compared !== undefined)?.compared?.confidence_level ?? 0.95;
  if (rates.length === 0) return null;
  return (
    <div class="halves">
      <IntervalChart rows={rates} axis="Share of users with the event (%, 95 % interval)" />
      {lifts.length > 0 && (
        <IntervalChart rows={lifts} axis={`Against A, in points (${percent(level, 2)} interval)`} zero />
      )}
    </div>
  );
}

const DIVISION = ["Arm", "Weight", "Users"];
const FIGURES = ["With the event", "Rate", "Against A, in points", "Best, probably"];

/** Without `early`, which says that no verdict is due yet, only how users were divided. */
function Arms({ arms, early }: { arms: readonly Arm[]; early?: boolean }) {
  const names = early === undefined ? DIVISION : [...DIVISION, ...FIGURES, "So far"];
  return (
    <Scroll label="Arms">
      <table class="compact figures">
        <Heads names={names} figures={["Weight", "Users", ...FIGURES]} />
        <tbody>
          {arms.map((arm) => (
            <tr key={arm.name}>
              <th scope="row" class="break">
                {arm.name} {arm.variant}
              </th>
              <td class="num">{trimmed(arm.weight)} %</td>
              <td class="num">{count(arm.users)}</td>
              {early !== undefined && <Figures arm={arm} early={early} />}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Figures({ arm: { users, positives, rate, interval, best, compared }, early }: { arm: Arm; early: boolean }) {
  return (
    <>
      <td class="num">{count(positives)}</td>
      <td class="num">
        {rate === null ? "–" : percent(rate)}
        {interval !== null && <small class="soft"> {span(interval, (end) => trimmed(end * 100, 1))}</small>}
      </td>
      <td class="num">
        {compared === undefined ? "" : compared.interval === null ? "–" : signed(compared.absolute_lift * 100, 1)}
        {compared !== undefined && compared.interval !== null && (
          <small class="soft"> {span(compared.interval, (end) => signed(end * 100, 1))}</small>
        )}
      </td>
      <td class="num">{users === 0 ? "–" : percent(best)}</td>
      <td>{compared === undefined ? "control" : early ? "not enough yet" : compared.verdict.replaceAll("_", " ")}</td>
    </>
  );
}

function span([low, high]: readonly [number, number], text: (end: number) => string): string {
  return `${text(low)} to ${text(high)}`;
}
