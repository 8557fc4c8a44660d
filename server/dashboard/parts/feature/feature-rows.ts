import type { DecisionSummary, Feature } from "../../wire.ts";

/** A feature as its list shows it. */
export interface FeatureRow {
  readonly feature: Feature;
  /** Decisions of the last hour by variant. */
  readonly served: Readonly<Record<string, number>>;
  readonly total: number;
  readonly lastServed: string | null;
  readonly model: DecisionSummary["features"][number]["model"];
}

export function rowsOf(features: readonly Feature[], summary: DecisionSummary | undefined): readonly FeatureRow[] {
  const used = new Map(summary?.features.map((entry) => [entry.feature_key, entry]));
  return features.map((feature) => {
    const { served = {}, last_served_at = null, model = null } = used.get(feature.key) ?? {};
    const total = Object.values(served).reduce((sum, decisions) => sum + decisions, 0);
    return { feature, served, total, lastServed: last_served_at, model };
  });
}

/** Those that `show` and the words asked for let through, in order. */
export function chosenRows(
  rows: readonly FeatureRow[],
  { q, show, sort }: { readonly q: string; readonly show: string; readonly sort: string },
): readonly FeatureRow[] {
  const words = q.toLowerCase().trim();
  const shown = SHOWN[show] ?? (() => true);
  return rows.filter((row) => shown(row) && says(row, words)).sort(ORDERS[sort] ?? ORDERS.changed);
}

export const SHOWS = [
  ["", "All"],
  ["on", "Switched on"],
  ["off", "Switched off"],
  ["model", "With a model"],
  ["idle7", "Not asked for 7 days"],
  ["idle30", "Not asked for 30 days"],
  ["idle90", "Not asked for 90 days"],
] as const;

const SHOWN: Readonly<Record<string, (row: FeatureRow) => boolean>> = {
  on: ({ feature }) => feature.enabled,
  off: ({ feature }) => !feature.enabled,
  model: ({ feature }) => learns(feature),
  idle7: (row) => idleDays(row) >= 7,
  idle30: (row) => idleDays(row) >= 30,
  idle90: (row) => idleDays(row) >= 90,
};

const ORDERS: Readonly<Record<string, Order>> & { readonly changed: Order } = {
  changed: (a, b) => Date.parse(b.feature.updated_at) - Date.parse(a.feature.updated_at),
  name: (a, b) => a.feature.name.localeCompare(b.feature.name),
  served: (a, b) => b.total - a.total,
  rollout: (a, b) => b.feature.rollout_percentage - a.feature.rollout_percentage,
};
type Order = (a: FeatureRow, b: FeatureRow) => number;

function says({ feature: { key, name, owner, tags } }: FeatureRow, words: string): boolean {
  return words === "" || [key, name, owner ?? "", ...tags].some((text) => text.toLowerCase().includes(words));
}

export function learns({ steps }: Feature): boolean {
  return steps.some(({ strategy, when }) => (strategy === "ml-model" || strategy === "bandit") && when !== false);
}

/** Whole days since anybody asked for it, or since it was created when nobody ever did. */
export function idleDays({ feature: { created_at }, lastServed }: FeatureRow): number {
  return Math.floor((Date.now() - Date.parse(lastServed ?? created_at)) / 86_400_000);
}
