import { featureHref } from "../../router.ts";
import type { Feature } from "../../wire.ts";
import { ago, counted, percent } from "../../words.ts";
import { Heads } from "../heads.tsx";
import { paletteOf, type Share, VariantBar } from "../variant.tsx";
import { type FeatureRow, idleDays, learns } from "./feature-rows.ts";

/** Variants said in words beside their bar. */
const NAMED = 4;

export function FeaturesTable({ rows }: { rows: readonly FeatureRow[] }) {
  return (
    <div class="card table">
      <table class="cards">
        <Heads names={["Feature", "State", "Served in the last hour", "Model", "Changed"]} />
        <tbody>
          {rows.map((row) => (
            <TableRow key={row.feature.key} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TableRow({ row }: { row: FeatureRow }) {
  const { feature, total } = row;
  const { key, name, enabled, rollout_percentage, type, updated_at } = feature;
  const shares = sharesOf(row);
  return (
    <tr>
      <td class="break">
        <a class="key" href={featureHref(key)}>
          {name}
        </a>
        <span class="soft">
          <code>{key}</code> · {type}
        </span>
      </td>
      <td class="end">
        {enabled ? <Rollout percentage={rollout_percentage} feature={feature} /> : <span class="chip">Off</span>}
      </td>
      <td class="wide">
        {total > 0 ? (
          <>
            <VariantBar shares={shares} />
            <span class="small soft nums">
              {counted(total, "decision")} · {inWords(shares)}
            </span>
          </>
        ) : (
          <span class="small soft">{askedLast(row)}</span>
        )}
      </td>
      <td data-label="Model:">
        <ModelChip row={row} />
      </td>
      <td class="small soft end nowrap" title={updated_at}>
        {ago(updated_at)}
      </td>
    </tr>
  );
}

/** In the order of the variants, the off variant last. */
function sharesOf({ feature: { variants, off_variant }, served, total }: FeatureRow): readonly Share[] {
  const names = Object.keys(variants);
  const placeOf = paletteOf(names, off_variant);
  return Object.entries(served)
    .sort(([a], [b]) => names.indexOf(a) - names.indexOf(b))
    .map(([name, decisions]) => ({ name, share: decisions / total, place: placeOf(name) }))
    .sort((a, b) => Number(a.place === 0) - Number(b.place === 0));
}

/** The most served ones; the bar and its title have them all. */
function inWords(shares: readonly Share[]): string {
  const most = shares.length <= NAMED ? shares : shares.toSorted((a, b) => b.share - a.share).slice(0, NAMED);
  const words = most.map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
  return most === shares ? words : `${words} and ${shares.length - NAMED} more`;
}

function askedLast(row: FeatureRow): string {
  const days = idleDays(row);
  if (days >= 7) return `Not asked for ${counted(days, "day")}`;
  return row.lastServed === null ? "Never asked" : `Last asked ${ago(row.lastServed)}`;
}

function Rollout({ percentage, feature }: { percentage: number; feature: Feature }) {
  const simple = feature.steps.some(({ id, strategy }) => id === "rollout" && strategy === "hash-bucketing");
  return <span class="chip good">On{simple ? ` · ${percent(percentage / 100, 3)}` : ""}</span>;
}

function ModelChip({ row: { feature, model } }: { row: FeatureRow }) {
  if (!learns(feature)) return <span class="small soft">none</span>;
  if (model === null) return <span class="chip warn">no model yet</span>;
  const tone = { fresh: "good", warning: "warn", stopped: "bad" }[model.health];
  const words = { fresh: "live", warning: "drifting", stopped: "stopped" }[model.health];
  return (
    <span class={`chip ${tone}`} title={model.version}>
      {model.global ? `${words}, global` : words}
    </span>
  );
}
