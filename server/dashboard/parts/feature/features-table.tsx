import { featureHref } from "../../router.ts";
import type { Feature } from "../../wire.ts";
import { ago, counted, percent } from "../../words.ts";
import { VariantBar } from "../variant.tsx";
import { type FeatureRow, idleDays, learns } from "./feature-rows.ts";

export function FeaturesTable({ rows }: { rows: readonly FeatureRow[] }) {
  return (
    <div class="card table">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Feature</th>
            <th scope="col">State</th>
            <th scope="col">Served in the last hour</th>
            <th scope="col">Model</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
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
  const { feature, served, total } = row;
  const { key, name, enabled, rollout_percentage, type, updated_at } = feature;
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
            <VariantBar shares={served} />
            <span class="small soft nums">
              {counted(total, "decision")} · {served.map((each) => `${each.name} ${percent(each.share)}`).join(", ")}
            </span>
          </>
        ) : (
          <span class="small soft">{askedLast(row)}</span>
        )}
      </td>
      <td data-label="Model:">
        <ModelChip row={row} />
      </td>
      <td class="small soft end" title={updated_at}>
        {ago(updated_at)}
      </td>
    </tr>
  );
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
