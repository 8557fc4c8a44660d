import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
import { type App, failures, json, on } from "../route.ts";

const Environment = z
  .object({
    key: z.string(),
    revision: z.int().describe("Counts every change of what this environment serves"),
  })
  .meta({ id: "Environment" });

const NewEnvironment = z
  .strictObject({
    key: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,49}$/, "must be 1 to 50 of a-z, 0-9, _ and -, and start with a letter or digit"),
  })
  .meta({ id: "NewEnvironment" });

const tags = ["environments"];
export const list = createRoute({
  method: "get",
  path: "/environments",
  operationId: "listEnvironments",
  tags,
  summary: "The environments this caller may enter by X-Environment",
  responses: { 200: json(z.array(Environment), "By key", [{ key: "production", revision: 8 }]) },
});
export const create = createRoute({
  method: "post",
  path: "/environments",
  operationId: "createEnvironment",
  tags,
  summary: "Add an empty environment",
  request: { body: { ...json(NewEnvironment, "Its key", { key: "staging" }), required: true } },
  responses: { 201: json(Environment, "Created", { key: "staging", revision: 1 }), ...failures(409) },
});

export function environmentRoutes(app: App, services: Pick<Services, "configuration" | "snapshots">): void {
  const { configuration, snapshots } = services;

  on(app, list, async (c) => {
    const all = await configuration.environments();
    const pinned = c.get("pinned");
    return c.json(all.filter(({ key }) => !pinned || key === c.get("environment")));
  });

  on(app, create, async (c) => {
    if (c.get("pinned"))
      throw new HttpError(
        403,
        "wrong_environment",
        `This token only opens "${c.get("environment")}"; it may not add another`,
      );
    const { key } = check(NewEnvironment, await readJson(c));
    await configuration.createEnvironment(key);
    await snapshots.refresh(key);
    const stored = (await configuration.environments()).find((environment) => environment.key === key);
    return c.json(stored, 201);
  });
}
