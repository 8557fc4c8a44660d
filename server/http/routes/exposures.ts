import { createRoute, z } from "@hono/zod-openapi";
import { check, readJson } from "../body.ts";
import { reportedExposure } from "../examples/decision.ts";
import { exposureIntake, type IntakeServices } from "../exposure-intake.ts";
import { ReportedExposure } from "../reported-exposure.ts";
import { type App, json, on } from "../route.ts";

/** Exposures one call may carry, and the bytes they may take. */
const MOST_EXPOSURES = 5_000;
const EXPOSURES_LIMIT = 8 * 1024 * 1024;

const ReportRequest = z
  .strictObject({ exposures: z.array(ReportedExposure).min(1).max(MOST_EXPOSURES) })
  .meta({ id: "ExposureReport" });

/** The same without the exposures themselves: each is checked on its own, and a bad one is rejected alone. */
const ReportEnvelope = z.strictObject({ exposures: z.array(z.unknown()).min(1).max(MOST_EXPOSURES) });

const ReportAnswer = z
  .object({
    saved_exposures: z.int().describe("Newly stored by this call"),
    duplicates: z.int().describe("Stored before, by the same id and time"),
    rejected: z.int(),
    rejections: z.array(
      z.object({
        index: z.int().describe("Position in `exposures`, from 0"),
        code: z.string(),
        message: z.string(),
        field: z.string().optional(),
      }),
    ),
  })
  .meta({ id: "ExposureReportAnswer" });

const answerExample = { saved_exposures: 1, duplicates: 0, rejected: 0, rejections: [] };

export const report = createRoute({
  method: "post",
  path: "/exposures",
  operationId: "reportExposures",
  tags: ["decisions"],
  summary: "Store decisions that were made elsewhere, from this environment's snapshot",
  description:
    "Answers after the commit. Report a user's first exposure to the same variant, feature version and reason on a UTC day, as the server itself stores them. One that cannot be true is rejected alone, by its index: an unknown feature, variant, model or arm, a time to come, a probability outside (0, 1].",
  request: {
    body: {
      ...json(ReportRequest, "1 to 5000 exposures, at most 8 MB", { exposures: [reportedExposure] }),
      required: true,
    },
  },
  responses: { 201: json(ReportAnswer, "What was stored and what was not", answerExample) },
});

export function exposureRoute(app: App, services: IntakeServices): void {
  const intake = exposureIntake(services);
  on(app, report, async (c) => {
    const { exposures } = check(ReportEnvelope, await readJson(c, { limit: EXPOSURES_LIMIT }));
    const taken = await intake.store(c.get("environment"), exposures);
    return c.json({ ...taken, rejected: taken.rejections.length }, 201);
  });
}
