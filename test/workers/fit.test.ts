import { describe, expect, test } from "vitest";
import { train } from "../../core/model/train.ts";
import { Invalid } from "../../core/ports.ts";
import { fit as fitInThread } from "../../workers/fit.ts";
import { shop, trainOptions } from "../core/model/made-up-shop.ts";

describe("fit()", () => {
  test("fits in a thread what train() fits here, and reports its progress", async () => {
    const here = train(shop(), trainOptions());
    const told: [number, string][] = [];
    const there = await fitInThread(
      shop(),
      { learner: "logistic", seed: 1 },
      { onProgress: (...report) => told.push(report) },
    );
    expect(there.hash).toBe(here.hash);
    expect(there.artifact).toEqual(here.artifact);
    expect(there.verdict).toBe(here.verdict);
    expect(told.map(([, stage]) => stage)).toContain("fitting logistic");
    expect(told.every(([progress]) => progress >= 0 && progress <= 1)).toBe(true);
  });

  test("leaves the event loop free", async () => {
    let turns = 0;
    let fitting = true;
    const turn = () => {
      turns++;
      if (fitting) setImmediate(turn);
    };
    turn();
    await fitInThread(shop({ users: 1500 }), { learner: "svm", seed: 1 });
    fitting = false;
    expect(turns).toBeGreaterThan(100);
  });

  test("refuses as train() does", async () => {
    const error = await fitInThread(shop({ users: 20 }), { learner: "auto", seed: 1 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Invalid);
    expect(error).toMatchObject({ code: "insufficient_data" });
  });

  test("ends its thread when aborted", async () => {
    const control = new AbortController();
    const fitting = fitInThread(
      shop({ users: 2000 }),
      { learner: "svm", seed: 1 },
      {
        signal: control.signal,
        onProgress: (_, stage) => {
          if (stage === "fitting svm") control.abort(new Error("cancelled"));
        },
      },
    );
    await expect(fitting).rejects.toThrow("cancelled");
    await expect(fitInThread(shop(), { learner: "svm", seed: 1 }, { signal: control.signal })).rejects.toThrow(
      "cancelled",
    );
  });
});
