import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Dataset, datasetBuilder } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { cdnow } from "../../../server/cli/demo/cdnow.ts";
import type { PlainExample } from "../../../server/cli/demo/fit-plain.ts";
import { plainExamples, referenceDataset } from "../../../server/cli/demo/reference.ts";
import { shop } from "../../../server/cli/demo/shop.ts";
import { type PlainRow, referenceSlice, type Story } from "../../../server/cli/demo/story.ts";
import { readHillstrom } from "./hillstrom.ts";
import { SETS, type SetName } from "./reference.ts";

/** A real data set, as the product sees it and as scikit-learn was given it. */
export interface LearningSet {
  readonly dataset: Dataset;
  readonly plain: readonly PlainExample[];
}

const FILES: Readonly<Partial<Record<SetName, string>>> = { hillstrom: "hillstrom.csv.gz", cdnow: "cdnow.csv.gz" };

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
      return ofStory(shop());
    case "cdnow":
      return ofStory(cdnow(join(directory, FILES.cdnow ?? "")));
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

function ofStory(story: Story): LearningSet {
  return { dataset: referenceDataset(story), plain: plainExamples(story) };
}
