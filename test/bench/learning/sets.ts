import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../../core/json.ts";
import { type Dataset, datasetBuilder, type Slice } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { cdnow } from "../../../server/cli/demo/cdnow.ts";
import { referenceDataset } from "../../../server/cli/demo/reference.ts";
import { shop } from "../../../server/cli/demo/shop.ts";
import { referenceSlice, type Story, type Subject } from "../../../server/cli/demo/story.ts";
import { readHillstrom } from "./hillstrom.ts";
import { SETS, type SetName } from "./reference.ts";

/** What scikit-learn was given of a row: numbers as they are, texts one-hot. */
export type PlainRow = Readonly<Record<string, number | string>>;

/** A real data set, as the product sees it and as scikit-learn was given it. */
export interface LearningSet {
  readonly dataset: Dataset;
  readonly plain: readonly { readonly row: PlainRow; readonly label: boolean; readonly slice: Slice }[];
}

const FILES: Readonly<Partial<Record<SetName, string>>> = { hillstrom: "hillstrom.csv.gz", cdnow: "cdnow.csv.gz" };
const DAY = 86_400_000;

/** The sets that can be read: one is shipped, the others are looked for in the directory. */
export function setsIn(directory: string): readonly SetName[] {
  return SETS.filter((name) => {
    const file = FILES[name];
    if (file === undefined || existsSync(join(directory, file))) return true;
    console.error(`${name} is left out: there is no ${file} in ${directory}; --data says where it is`);
    return false;
  });
}

export function readSet(name: SetName, directory: string): LearningSet {
  switch (name) {
    case "hillstrom":
      return hillstrom(directory);
    case "online-shoppers":
      return ofStory(shop(), plainSession);
    case "cdnow": {
      const story = cdnow(join(directory, FILES.cdnow ?? ""));
      return ofStory(story, (customer) => plainCustomer(customer, Date.parse(story.cut ?? "")));
    }
  }
}

/** Who visits, whatever e-mail they were sent: which one is an attribute like any other. */
function hillstrom(directory: string): LearningSet {
  const customers = readHillstrom(directory);
  const builder = datasetBuilder();
  const plain = customers.map(({ attributes, arm, visit }, i) => {
    const row: PlainRow = { ...attributes, segment: arm };
    const slice = referenceSlice(i);
    builder.add({ unit: `customer-${i}`, at: i, row: featureRow(row, undefined, i), label: visit, slice });
    return { row, label: visit, slice };
  });
  const visits = customers.filter(({ visit }) => visit).length;
  const dataset = builder.build({
    ...{ total_events: visits, unique_users: customers.length, positive_events: visits },
    ...{ moments: "exposures", window_seconds: 14 * 86_400, positive_event_types: ["visit"], immature: 0, capped: 0 },
    data_window: { from: "", to: "" },
  });
  return { dataset, plain };
}

function ofStory(story: Story, plainRow: (subject: Subject) => PlainRow): LearningSet {
  return {
    dataset: referenceDataset(story),
    plain: story.subjects.map((subject) => ({
      row: plainRow(subject),
      label: subject.bought,
      slice: subject.slice,
    })),
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

/**
 * Logarithms of what is known of a customer's purchases. Which columns the published figures of this set were fitted on was
 * not said: of the sets of columns that were tried, these come closest.
 */
function plainCustomer({ history }: Subject, cut: number): PlainRow {
  // The purchases of a day are at noon; days are counted from its beginning.
  const days = history.map(({ timestamp }) => Math.ceil((cut - Date.parse(timestamp)) / DAY));
  const [last, first] = [Math.min(...days), Math.max(...days)];
  const spent = history.reduce((sum, { properties }) => sum + Number(properties?.value), 0);
  return {
    purchases: Math.log1p(history.length),
    days_since_last: Math.log1p(last),
    days_since_first: Math.log1p(first),
    spent: Math.log1p(spent),
    days_between: Math.log1p(first - last),
    purchases_a_day: Math.log1p(history.length / first),
    purchases_of_half_a_year: Math.log1p(days.filter((day) => day <= 180).length),
  };
}
