import type { Adapter } from "./adapter.ts";
import { readTime } from "./read-time.ts";

export type FeatureKeyMode = "item" | "single";

/** The feature all events belong to in mode `single`. */
export const SINGLE_FEATURE = "dataset_import";

const TYPES = ["view", "addtocart", "transaction"];

/**
 * Shop logs with the columns `timestamp` (epoch ms), `visitorid`, `event` (view, addtocart, transaction), `itemid` and
 * perhaps `transactionid`: one feature an item, or one for the whole file.
 */
export function ecommerceAdapter({ mode, source }: { mode: FeatureKeyMode; source: string }): Adapter {
  return {
    columns: ["timestamp", "visitorid", "event", "itemid"],
    toEvent(row) {
      const [timestamp, visitor, type, item] = ["timestamp", "visitorid", "event", "itemid"].map((name) =>
        (row[name] ?? "").trim(),
      ) as [string, string, string, string];
      const time = readTime(timestamp);
      if (time === undefined)
        return { code: "invalid_timestamp", message: `is "${timestamp}"; give epoch milliseconds`, field: "timestamp" };
      if (!TYPES.includes(type))
        return { code: "unknown_event", message: `is "${type}"; it is one of ${TYPES.join(", ")}`, field: "event" };
      // An item's feature must be one that can be created.
      if (!/^[A-Za-z0-9_.:-]{1,45}$/.test(item))
        return {
          code: "invalid_item",
          message: `is "${item.slice(0, 60)}"; give up to 45 letters, digits, _ . : and -`,
          field: "itemid",
        };
      const transaction = row.transactionid?.trim();
      return {
        user_id: visitor,
        feature_key: mode === "item" ? `item_${item}` : SINGLE_FEATURE,
        event_type: type,
        timestamp: isoTime(time),
        properties: { itemid: item, ...(transaction ? { transactionid: transaction } : {}) },
        source,
      };
    },
  };
}

/** Out of a Date's range becomes text that the event check refuses with its own words. */
function isoTime(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
