import { get } from "../../api.ts";
import { hrefOf } from "../../router.ts";
import { useResource } from "../../use-resource.ts";
import type { DecisionSummary, Feature } from "../../wire.ts";
import { ago, counted } from "../../words.ts";
import { VariantBar, VariantLegend } from "../variant.tsx";

/** What this server served of a feature within the last hour. */
export function ServedCard({ feature, placeOf }: { feature: Feature; placeOf: (variant: string | null) => number }) {
  const summary = useResource("summary", (signal) => get<DecisionSummary>("/decisions/summary", signal), {
    every: 3_000,
  });
  const entry = summary.value?.features.find(({ feature_key }) => feature_key === feature.key);
  const total = Object.values(entry?.served ?? {}).reduce((sum, decisions) => sum + decisions, 0);
  const shares = Object.keys(feature.variants)
    .map((name) => ({ name, share: total === 0 ? 0 : (entry?.served[name] ?? 0) / total, place: placeOf(name) }))
    .filter(({ share }) => share > 0);
  return (
    <section class="card stack">
      <h2>Served in the last hour</h2>
      {total === 0 ? (
        <p class="soft">
          {entry?.last_served_at
            ? `Nothing. Last asked ${ago(entry.last_served_at)}.`
            : "Nothing: it was never asked yet."}
        </p>
      ) : (
        <>
          <VariantBar shares={shares} />
          <VariantLegend shares={shares} />
          <p class="soft small nums">{counted(total, "decision")} by this server</p>
        </>
      )}
      <div class="row small">
        <a href={hrefOf("/app/live", { feature: feature.key })}>Watch live</a>
        <a href={hrefOf("/app/models", { feature: feature.key })}>Models</a>
        <a href={hrefOf("/app/experiments", { feature: feature.key })}>Experiments</a>
      </div>
    </section>
  );
}
