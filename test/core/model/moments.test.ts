import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Example } from "../../../core/model/dataset.ts";
import { createMoments, type Happening, MAX_MOMENTS, type MomentsOptions } from "../../../core/model/moments.ts";
import { START } from "./made-up-shop.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function examplesOf(happenings: readonly Happening[], options: Partial<MomentsOptions> = {}) {
  const examples: Example[] = [];
  const moments = createMoments({ window: DAY, end: START + 1000 * DAY, ...options }, (example) =>
    examples.push(example),
  );
  for (const happening of happenings) moments.add(happening);
  moments.finish();
  return { examples, counts: moments.counts };
}

function view(at: number, properties = {}): Happening {
  return { user_id: "ann", at, event_type: "view", properties, positive: false, moment: true };
}
function buy(at: number, properties = {}): Happening {
  return { user_id: "ann", at, event_type: "buy", properties, positive: true, moment: false };
}

describe("createMoments()", () => {
  test("takes features from before and the label from after, neither from the moment itself", () => {
    const { examples } = examplesOf([buy(START), view(START + HOUR, { plan: "pro" }), buy(START + 2 * HOUR)]);
    expect(examples).toHaveLength(1);
    expect(examples[0]).toMatchObject({ at: START + HOUR, label: true });
    expect(examples[0]?.row).toMatchObject({ "attribute.plan": "pro", "events.count": 1, "events.buy.count": 1 });
    expect(examples[0]?.row).not.toHaveProperty("events.view.count");
  });

  test("leaves what happened in the same millisecond out of both", () => {
    const { examples } = examplesOf([buy(START), view(START), buy(START)]);
    expect(examples[0]).toMatchObject({ label: false, row: { "events.count": 0 } });
  });

  test("closes the window at its end", () => {
    expect(examplesOf([view(START), buy(START + DAY - 1)]).examples[0]?.label).toBe(true);
    expect(examplesOf([view(START), buy(START + DAY)]).examples[0]?.label).toBe(false);
  });

  test("waits until the window has passed", () => {
    const { examples, counts } = examplesOf([view(START), view(START + DAY)], { end: START + DAY });
    expect(examples.map(({ at }) => at)).toEqual([START]);
    expect(counts).toEqual({ users: 1, immature: 1, capped: 0 });
  });

  test("lets a user count once a day, and at most 20 times, evenly spread", () => {
    const views = Array.from({ length: 10_000 }, (_, i) => view(START + i * HOUR));
    const { examples, counts } = examplesOf(views, { end: START + 2000 * DAY });
    expect(examples).toHaveLength(MAX_MOMENTS);
    expect(examples[0]?.at).toBe(START);
    expect(examples.at(-1)?.at).toBe(START + 416 * DAY);
    expect(counts.capped).toBe(10_000 - MAX_MOMENTS);
  });

  test("makes one example of each user known at the cut, and of no other", () => {
    const other = { ...buy(START + 3 * DAY), user_id: "new" };
    const { examples, counts } = examplesOf(
      [buy(START, { amount: 4 }), buy(START + DAY), buy(START + 2 * DAY), other],
      {
        cut: START + 2 * DAY,
      },
    );
    expect(counts.users).toBe(2);
    expect(examples).toHaveLength(1);
    expect(examples[0]).toMatchObject({ at: START + 2 * DAY, label: true });
    expect(examples[0]?.row).toMatchObject({
      "events.buy.count": 2,
      "events.buy.recency_days": 1,
      "events.value_sum": 4,
    });
  });

  const history = fc
    .array(
      fc.record({
        at: fc.integer({ min: 0, max: 40 * 24 }).map((hour) => START + hour * HOUR),
        event_type: fc.constantFrom("view", "buy", "search", "__proto__"),
        properties: fc.record({ value: fc.integer({ min: -5, max: 50 }), plan: fc.constantFrom("free", "pro") }),
      }),
      { maxLength: 40 },
    )
    .map((events) =>
      events
        .sort((a, b) => a.at - b.at)
        .map(
          (event): Happening => ({
            ...event,
            user_id: "ann",
            positive: event.event_type === "buy",
            moment: event.event_type === "view",
          }),
        ),
    );

  property.prop([history, history])("gives the same features whatever happens afterwards", (before, more) => {
    const { examples } = examplesOf(before);
    for (const example of examples) {
      const past = before.filter(({ at }) => at <= example.at);
      const future = more.filter(({ at }) => at > example.at);
      const again = examplesOf([...past, ...future]).examples.find(({ at }) => at === example.at);
      expect(again?.row).toEqual(example.row);
    }
  });

  property.prop([history])("labels with exactly the positive events after the moment, inside the window", (events) => {
    for (const { at, label } of examplesOf(events).examples)
      expect(label).toBe(events.some((event) => event.positive && event.at > at && event.at < at + DAY));
  });
});
