import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";

/** A customer of the trial, as a caller of the API would send it, and what came of the e-mail it was sent by chance. */
export interface Customer {
  readonly attributes: Readonly<Record<string, string | number>>;
  /** The arm the trial drew, a third each. */
  readonly arm: (typeof ARMS)[number];
  readonly visit: boolean;
}

/** The file; not shipped. */
export const HILLSTROM = "hillstrom.csv.gz";
/** No e-mail, the men's, the women's. */
export const ARMS = ["none", "mens", "womens"] as const;
const SEGMENTS: Readonly<Record<string, Customer["arm"]>> = {
  "No E-Mail": "none",
  "Mens E-Mail": "mens",
  "Womens E-Mail": "womens",
};

/** MineThatData's e-mail trial of 2008: 64,000 customers in the publisher's order. Not shipped; published for public use. */
export function readHillstrom(directory: string): readonly Customer[] {
  const text = gunzipSync(readFileSync(join(directory, HILLSTROM))).toString("utf8");
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  return rows.map((row) => {
    const arm = SEGMENTS[row.segment ?? ""];
    if (arm === undefined) throw new Error(`Hillstrom's file has an unknown segment: ${row.segment}`);
    const number = (name: string) => Number(row[name]);
    const text = (name: string) => row[name] ?? "";
    return {
      attributes: {
        recency: number("recency"),
        history: number("history"),
        mens: number("mens"),
        womens: number("womens"),
        newbie: number("newbie"),
        zip_code: text("zip_code"),
        channel: text("channel"),
      },
      arm,
      visit: row.visit === "1",
    };
  });
}
