import { type Dataset, datasetBuilder, type Slice } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import type { Customer } from "./hillstrom.ts";

/** The trial's customers as drawn decisions, those who were given one of these arms, each in its own slice. */
export function trialDataset(customers: readonly (Customer & { slice: Slice })[], arms: readonly string[]): Dataset {
  const builder = datasetBuilder({ arms });
  customers.forEach(({ attributes, arm, visit, slice }, i) => {
    builder.add({
      ...{ unit: `customer-${i}`, at: i, row: featureRow(attributes, {}, i) },
      ...{ label: visit, arm, probability: 1 / arms.length, slice },
    });
  });
  const visits = customers.filter(({ visit }) => visit).length;
  return builder.build({
    ...{ total_events: visits, unique_users: customers.length, positive_events: visits, immature: 0, capped: 0 },
    ...{ moments: "exposures", window_seconds: 14 * 86_400, positive_event_types: ["visit"] },
    data_window: { from: "2008-01-01T00:00:00Z", to: "2008-01-15T00:00:00Z" },
  });
}
