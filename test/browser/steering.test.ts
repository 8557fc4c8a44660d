import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const PLUGIN = fileURLToPath(new URL("../support/measuring-operators.ts", import.meta.url));

describe.skipIf(chromiumPath === undefined)("a feature's page", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer({ settings: { PLUGINS: PLUGIN } }), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** The feature as the server has it after what is on the page is saved. */
  async function saved(page: Page, key: string, reason: string) {
    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Save the change?" });
    await dialog.getByLabel("Reason").fill(reason);
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText(`“${reason}”`).waitFor();
    return (await server.call("GET", `/features/${key}`)).body;
  }

  test("an objective is added, changed and removed by a form that says every default and unit", async () => {
    await server.client.createFeature({ key: "wants", name: "Wants something", rollout_percentage: 20 });
    await server.client.evaluateUsers("wants", [{ user_id: "ada" }, { user_id: "bob" }]);
    await server.services.observer.flush();
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/features/wants`);
    const card = page.getByRole("region", { name: "Objective" });
    await card.getByText("None: nobody is held out").waitFor();
    await card.getByRole("button", { name: "Add an objective" }).click();
    await card.getByText("5 % of users are held out for ever; 10 % of decisions are drawn evenly").waitFor();
    await card.getByText("A model older than this no longer decides. Default: 7 days").waitFor();

    await card.getByLabel("Event types, separated by commas").fill("purchase, subscribe");
    await card.getByLabel("Window", { exact: true }).fill("36");
    await card.getByLabel("Window: unit").selectOption("hours");
    await card.getByLabel("Direction").selectOption("decrease");
    await card.getByLabel("Value", { exact: true }).selectOption("as follows");
    await card.getByLabel("Property").fill("revenue");
    await card.getByLabel("Cap").fill("500");
    await card.getByRole("button", { name: "Add to guardrails" }).click();
    const guardrail = card.getByRole("group", { name: "Guardrails: 1" });
    await guardrail.getByLabel("Event types, separated by commas").fill("error");
    await card.getByLabel("Safe variant").selectOption("off");
    await card.getByLabel("Exploration", { exact: true }).selectOption("a number");
    await card.getByLabel("Exploration: a number").fill("0.2");
    await card.getByLabel("Holdout").fill("0.1");
    await card.getByLabel("Holdout").blur();
    await card.getByText("= 10 %").waitFor();
    await card.getByLabel("After outcomes").fill("5000");
    await card.getByLabel("On drift").uncheck();
    await card
      .getByText(
        "Decrease the value of “purchase” or “subscribe” events within 36 hours of the decision, without more “error” events. 10 % of users are held out for ever; 20 % of decisions",
      )
      .waitFor();
    expect(await axeFindings(page)).toEqual([]);

    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Save the change?" });
    await dialog.getByText("Of the last 2 decisions").waitFor();
    await dialog.getByText('"property": "revenue"').waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect((await saved(page, "wants", "It shall sell")).objective).toMatchObject({
      event_types: ["purchase", "subscribe"],
      window_seconds: 36 * 3600,
      direction: "decrease",
      value: { property: "revenue", cap: 500 },
      guardrails: [{ event_types: ["error"], harmful: "increase", margin: 0.1 }],
      safe_variant: "off",
      exploration: 0.2,
      holdout: 0.1,
      min_confidence: 0.9,
      retrain: { after_outcomes: 5000, on_drift: false },
    });

    await card.getByRole("button", { name: "Remove the objective" }).click();
    expect((await saved(page, "wants", "It shall not")).objective).toBeNull();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("what the server refuses in an objective is told in its words, and nothing is saved", async () => {
    await server.client.createFeature({ key: "greedy", name: "Greedy", rollout_percentage: 20 });
    const { page } = await openPage(browser);
    await page.goto(`${server.url}/app/features/greedy`);
    const card = page.getByRole("region", { name: "Objective" });
    await card.getByRole("button", { name: "Add an objective" }).click();
    await card.getByLabel("Holdout").fill("0.9");
    await page.getByRole("button", { name: "Review and save" }).click();
    await page.getByRole("dialog").getByRole("alert").first().waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").getByRole("alert").getByText("0.5").first().waitFor();
    expect((await server.call("GET", "/features/greedy")).body).toMatchObject({ version: 1, objective: null });
    await page.close();
  });

  test("every operator of the server is offered, a plugin's too, each with an input for what it takes", async () => {
    await server.client.createFeature({
      key: "ruled",
      name: "Ruled",
      steps: [
        {
          ...{ id: "rules", strategy: "rule-filters", on_failure: "next" },
          config: { rules: [{ when: { attribute: "/plan", op: "equals", value: "pro" }, variant: "on" }] },
        },
      ],
    });
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/features/ruled`);
    const choice = page.getByLabel("Operator");
    await choice.waitFor();
    const { operators } = (await server.call("GET", "/strategies")).body;
    const offered = await page.evaluate(
      `[...document.querySelectorAll("[aria-label=Operator] option")].map(({ value }) => value)`,
    );
    expect(offered).toEqual(operators.map(({ name }: { name: string }) => name));
    expect(offered).toContain("longer_than_v1");
    const inputs: Record<string, string> = { number: "number", time: "datetime-local" };
    for (const { name, value, takes, summary } of operators) {
      await choice.selectOption(name);
      await page.getByText(`${summary}.`, { exact: true }).waitFor();
      const field = page.getByRole("group").getByLabel(`Value: ${value}`, { exact: true });
      if (value === null) expect([name, await page.getByLabel(/^Value:/).count()]).toEqual([name, 0]);
      else expect([name, await field.getAttribute("type")]).toEqual([name, inputs[takes] ?? "text"]);
    }
    const write = async (op: string, value: string) => {
      await choice.selectOption(op);
      await page.getByLabel(/^Value:/).fill(value);
      await page.getByLabel(/^Value:/).blur();
      return (await saved(page, "ruled", `By ${op}`)).steps[0].config.rules[0].when;
    };
    expect(await write("semver_gte", "2.1")).toMatchObject({ op: "semver_gte", value: "2.1" });
    expect(await write("in", 'pro, "Paris, France"')).toMatchObject({ value: ["pro", "Paris, France"] });
    expect(await write("longer_than_v1", "12")).toMatchObject({ op: "longer_than_v1", value: 12 });
    const { value } = await write("after", "2026-05-01T12:00:00");
    expect(value).toMatch(/^2026-0(4-30|5-01)T.*Z$/);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("steps are put in another order by dragging, and by the keyboard", async () => {
    const rules = { rules: [{ when: true, variant: "off" }] };
    await server.client.createFeature({
      key: "ordered",
      name: "Ordered",
      steps: ["one", "two", "three"].map((id) => ({
        ...{ id, strategy: "rule-filters", config: rules, on_failure: "next" as const },
      })),
    });
    const { page, wrong } = await openPage(browser);
    await page.setViewportSize({ width: 1280, height: 1600 }); // what is dragged and where it goes are both in sight
    await page.goto(`${server.url}/app/features/ordered`);
    const handle = (id: string) =>
      page.getByRole("heading", { name: id }).locator("xpath=ancestor::header").getByTitle("Drag");
    await handle("three").dragTo(page.getByRole("heading", { name: "one" }));
    const ids = async (feature: Promise<{ steps: { id: string }[] }>) => (await feature).steps.map(({ id }) => id);
    expect(await ids(saved(page, "ordered", "Dragged"))).toEqual(["three", "one", "two"]);
    await page.getByRole("button", { name: "Move two up" }).focus();
    await page.keyboard.press("Enter");
    expect(await ids(saved(page, "ordered", "By a key"))).toEqual(["three", "two", "one"]);
    expect(wrong).toEqual([]);
    await page.close();
  });
});
