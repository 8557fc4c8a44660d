import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { type App, json, on } from "../route.ts";

const UserAnswer = z
  .object({
    user_id: z.string(),
    profile: z
      .array(
        z.object({
          event_type: z.string(),
          count: z.int(),
          first_at: z.string(),
          last_at: z.string(),
          value_sum: z.number().describe("Of the events' `value` (else amount, price, revenue)"),
        }),
      )
      .describe("The user's events by type, most first. Empty: nothing is known of a user of this id"),
  })
  .meta({ id: "UserProfile" });
export type UserProfile = z.infer<typeof UserAnswer>;

const at = "2026-01-22T19:30:00.000Z";
const profile = {
  user_id: "ada",
  profile: [{ event_type: "addtocart", count: 1, first_at: at, last_at: at, value_sum: 49.9 }],
};

export const read = createRoute({
  method: "get",
  path: "/users/{user_id}",
  operationId: "getUser",
  tags: ["events"],
  summary: "What is known of a user: the sums that models learn from",
  description: "The events themselves: GET /events?user_id=…; decisions: GET /decisions?user_id=….",
  request: { params: z.object({ user_id: z.string().meta({ examples: ["ada"] }) }) },
  responses: { 200: json(UserAnswer, "Also of a user without events", profile) },
});

export function userRoutes(app: App, { profileStore }: Pick<Services, "profileStore">): void {
  on(app, read, async (c) => {
    const user_id = c.req.param("user_id") ?? "";
    const profile = await profileStore.read(c.get("environment"), user_id);
    return c.json({
      user_id,
      profile: Object.entries(profile)
        .map(([event_type, { count, first_at, last_at, value_sum }]) => ({
          ...{ event_type, count, value_sum },
          first_at: new Date(first_at).toISOString(),
          last_at: new Date(last_at).toISOString(),
        }))
        .sort((a, b) => b.count - a.count),
    } satisfies z.input<typeof UserAnswer>);
  });
}
