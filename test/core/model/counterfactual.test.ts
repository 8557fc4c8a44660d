import { describe, expect, test } from "vitest";
import { Artifact } from "../../../core/model/artifact.ts";
import { smallestChange } from "../../../core/model/counterfactual.ts";
import type { Scalar } from "../../../core/model/feature-row.ts";
import { createScorer } from "../../../core/model/score.ts";
import { train } from "../../../core/model/train.ts";
import { START, shop, trainOptions } from "./made-up-shop.ts";

const artifact = Artifact.parse(train(shop({ users: 2000 }), trainOptions()).artifact);

function decider(user: Record<string, unknown>, threshold: number) {
  const scorer = createScorer(artifact);
  let scorings = 0;
  const decide = () => {
    scorings++;
    return scorer.score(user, {}, START).probability >= threshold ? "on" : "off";
  };
  return { scorer, decide, scorings: () => scorings };
}

describe("smallestChange()", () => {
  const user = { plan: "free", mobile: true, basket: 20, age: 40, code: 2 };

  test("finds a change that really flips the answer, and half of which does not", () => {
    const { scorer, decide, scorings } = decider(user, 0.35);
    expect(decide()).toBe("off");
    const found = smallestChange(scorer, decide);
    expect(found).toMatchObject({ would_be: "on" });
    expect(scorings()).toBeLessThanOrEqual(2001);
    const key = found?.feature.replace("attribute.", "") ?? "";
    expect(scorer.score({ ...user, [key]: found?.to }, {}, START).probability).toBeGreaterThanOrEqual(0.35);
    if (typeof found?.from === "number" && typeof found.to === "number") {
      const half = { ...user, [key]: (found.from + found.to) / 2 };
      expect(scorer.score(half, {}, START).probability).toBeLessThan(0.35);
    }
  });

  test("finds no larger change than trying all values does", () => {
    const { scorer, decide } = decider(user, 0.35);
    const found = smallestChange(scorer, decide);
    scorer.score(user, {}, START);
    const flips = scorer.features.flatMap((feature, index) => {
      const quantiles = feature.kind === "number" ? feature.quantiles : [];
      const rank = (value: number) =>
        (quantiles.filter((quantile) => quantile < value).length +
          quantiles.filter((quantile) => quantile <= value).length) /
        (2 * quantiles.length);
      return quantiles.flatMap((to) => {
        scorer.assume(null, null);
        scorer.score(user, {}, START);
        const from = scorer.values[index] as Scalar;
        scorer.assume(index, to);
        return decide() === "on" && typeof from === "number" ? [Math.abs(rank(to) - rank(from))] : [];
      });
    });
    expect(flips.length).toBeGreaterThan(0);
    // Between quantiles it may lie nearer than either: within one step of the nearest.
    expect(found?.change).toBeLessThanOrEqual(Math.min(...flips) + 0.05);
  });

  test("leaves the scorer with the user as it is", () => {
    const { scorer, decide } = decider(user, 0.35);
    const before = scorer.score(user, {}, START).probability;
    smallestChange(scorer, decide);
    expect(scorer.values[scorer.features.findIndex(({ name }) => name === "attribute.basket")]).toBe(20);
    expect(scorer.score(user, {}, START).probability).toBe(before);
  });

  test("is null where nothing flips it", () => {
    const { scorer } = decider(user, 0.35);
    expect(smallestChange(scorer, () => "off")).toBeNull();
    const far = decider(user, 0.99999999);
    expect(smallestChange(far.scorer, far.decide)).toBeNull();
  });

  test("may be a category, which stays a boolean where it was one", () => {
    const { scorer } = decider(user, 0.35);
    const decide = () => {
      scorer.score(user, {}, START);
      const index = scorer.features.findIndex(({ name }) => name === "attribute.mobile");
      return scorer.values[index] === false ? "on" : "off";
    };
    expect(smallestChange(scorer, decide)).toMatchObject({ feature: "attribute.mobile", from: true, to: false });
  });

  test("finds whole numbers where only such were seen", () => {
    const { scorer } = decider(user, 0.35);
    const index = scorer.features.findIndex(({ name }) => name === "attribute.age");
    const decide = () => {
      scorer.score(user, {}, START);
      return (scorer.values[index] as number) >= 51.5 ? "on" : "off";
    };
    expect(smallestChange(scorer, decide)).toMatchObject({ feature: "attribute.age", from: 40, to: 52 });
  });
});
