import { type Change, type Contribution, columnName } from "../explanation.ts";
import { percent, shown, signed } from "../words.ts";
import { Panel } from "./panel.tsx";
import { Scroll } from "./scroll.tsx";

const METHODS = {
  exact: "Exact: with the base they add up to the log odds.",
  path: "They add up to the log odds; what an attribute added depends on what the trees asked before it.",
  approximate: "Approximate: how much the log odds would change if this one attribute were typical.",
} as const;

/** Shown before "all of them" is asked for. */
const FIRST = 6;

/** What moved the score, the strongest first. */
export function Contributions({ items, method }: { items: readonly Contribution[]; method: keyof typeof METHODS }) {
  const moved = items.filter(({ contribution }) => Math.abs(contribution) >= 0.005);
  const most = Math.max(...moved.map(({ contribution }) => Math.abs(contribution)), 0.01);
  const table = (rows: readonly Contribution[]) => (
    <tbody>
      {rows.map(({ feature, value, contribution }) => (
        <tr key={feature}>
          <td class="break">{columnName(feature)}</td>
          <td class="mono break">{value === null ? "not given" : shown(value, 30)}</td>
          <td class="num">{signed(contribution)}</td>
          <td>
            <div class={`effect ${contribution < 0 ? "minus" : ""}`} aria-hidden="true">
              <i style={{ width: `${(Math.abs(contribution) / most) * 100}%` }} />
            </div>
          </td>
        </tr>
      ))}
    </tbody>
  );
  const head = (
    <thead>
      <tr>
        <th scope="col">What moved it</th>
        <th scope="col">This user</th>
        <th scope="col" class="num">
          Log odds
        </th>
        <th scope="col">
          <span class="wordy">less likely · more likely</span>
          <span class="terse">− · +</span>
        </th>
      </tr>
    </thead>
  );
  if (moved.length === 0) return <p class="soft">Nothing about this user moved the score.</p>;
  return (
    <div class="stack">
      <Scroll label="What moved the score">
        <table class="compact">
          {head}
          {table(moved.slice(0, FIRST))}
        </table>
      </Scroll>
      {moved.length > FIRST && (
        <Panel name="contributions" summary={`${moved.length - FIRST} more`}>
          <Scroll label="What else moved the score">
            <table class="compact">
              {head}
              {table(moved.slice(FIRST))}
            </table>
          </Scroll>
        </Panel>
      )}
      <p class="small soft">{METHODS[method]}</p>
    </div>
  );
}

export function SmallestChange({ change }: { change: Change | null }) {
  if (change === null)
    return <p class="soft">No single attribute, changed to anything seen in training, would change this answer.</p>;
  const { feature, from, to, would_be } = change;
  return (
    <p class="change">
      With <b>{columnName(feature)}</b> at <b>{shown(to, 40)}</b> instead of{" "}
      {from === null ? "nothing" : shown(from, 40)} it would say <b>{would_be}</b>.{" "}
      <span class="small soft">
        The smallest change of one attribute that does: {percent(change.change)} of users lie between.
      </span>
    </p>
  );
}
