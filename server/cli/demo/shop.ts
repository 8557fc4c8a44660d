import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import type { EventInput } from "../../../core/event/event.ts";
import type { Json } from "../../../core/json.ts";
import { type PlainRow, referenceSlice, type Story, type Subject } from "./story.ts";

const FEATURE = "checkout-offer";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const CATEGORIES = new Set(["Month", "OperatingSystems", "Browser", "Region", "TrafficType", "VisitorType"]);
const YEAR = 2017;

/**
 * Online-shoppers, shipped with the project: every session is a user with one `view` that carries what was seen, and a
 * `transaction` half an hour later when the session ended in a purchase. The file gives each session's month; within a month
 * sessions keep their order and are spread evenly.
 */
export function shop(): Story {
  const file = gunzipSync(readFileSync(new URL("data/online-shoppers.csv.gz", import.meta.url))).toString("utf8");
  const rows: Record<string, string>[] = parse(file, { columns: true });
  const perMonth = new Map<string, number>();
  for (const row of rows) perMonth.set(row.Month ?? "", (perMonth.get(row.Month ?? "") ?? 0) + 1);
  const seen = new Map<string, number>();
  return {
    title: "an online shop's sessions: who buys?",
    source: "online-shoppers (Sakar and Kastro 2018, UCI 468, CC BY 4.0), shipped in server/cli/demo/data",
    feature_key: FEATURE,
    event_type: "transaction",
    window_seconds: 86_400,
    cut: null,
    subjects: rows.map((row, index) => subject(row, index, perMonth, seen)),
    reference_log_loss: 0.3058,
    plainRow: plainSession,
  };
}

function subject(
  row: Record<string, string>,
  index: number,
  perMonth: Map<string, number>,
  seen: Map<string, number>,
): Subject {
  const month = row.Month ?? "";
  const nth = seen.get(month) ?? 0;
  seen.set(month, nth + 1);
  const start = Date.UTC(YEAR, MONTHS.indexOf(month), 1);
  const end = Date.UTC(YEAR, MONTHS.indexOf(month) + 1, 1);
  const at = start + Math.floor(((end - start) * nth) / (perMonth.get(month) ?? 1));
  const user_id = `session-${index + 1}`;
  const properties: EventInput["properties"] = {};
  for (const [column, text] of Object.entries(row)) {
    if (column === "Revenue" || text === "") continue;
    properties[column] = column === "Weekend" ? text === "TRUE" : CATEGORIES.has(column) ? text : Number(text);
  }
  const bought = row.Revenue === "TRUE";
  const event = (event_type: string, ms: number, of: EventInput["properties"]): EventInput => ({
    event_id: `shop-${index + 1}-${event_type}`,
    user_id,
    feature_key: FEATURE,
    event_type,
    timestamp: new Date(ms).toISOString(),
    properties: of,
  });
  const slice = referenceSlice(index);
  return {
    user_id,
    attributes: properties,
    history: [event("view", at, properties)],
    outcome: bought ? [event("transaction", at + 1_800_000, {})] : [],
    bought,
    held_out: slice === "validation",
    slice,
  };
}

const SESSION_NUMBERS = [
  "Administrative",
  "Administrative_Duration",
  "Informational",
  "Informational_Duration",
  "ProductRelated",
  "ProductRelated_Duration",
  "BounceRates",
  "ExitRates",
  "PageValues",
  "SpecialDay",
];

/** Blanks are 0; all else is a category, the numbered ones too. */
function plainSession({ attributes }: Subject): PlainRow {
  const row: Record<string, number | string> = {};
  for (const name of SESSION_NUMBERS) row[name] = Number(attributes[name] ?? 0);
  for (const [name, value] of Object.entries(attributes)) if (!(name in row)) row[name] = textOf(value);
  return row;
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
