import { expect, test } from "vitest";
import { referenceFit, referenceTable } from "../../../server/cli/demo/reference.ts";
import { shop } from "../../../server/cli/demo/shop.ts";

test("on the shop's sessions, the logistic model is scikit-learn's where it is given the same, and better by itself", () => {
  const story = shop();
  const fit = referenceFit(story);
  expect(Math.abs(fit.same_columns - story.reference_log_loss)).toBeLessThan(0.005);
  expect(fit.own).toBeLessThan(fit.same_columns);
  expect(referenceTable(story, fit)).toContain(fit.same_columns.toFixed(4));
});
