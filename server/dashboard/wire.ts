/** What the API answers, from the schemas that check it: a renamed field breaks the build. */
import type { ConditionTrace, StepTrace } from "../../core/decision/decision.ts";
import type { DecisionAnswer } from "../http/decision-answer.ts";

export type { HoldoutLift } from "../../core/experiment/holdout-lift.ts";
export type { ExperimentResult } from "../../core/experiment/result.ts";
export type { Condition } from "../../core/feature/condition.ts";
export type { Json } from "../../core/json.ts";
export type { DecisionSummary, StoredDecisionsAnswer as StoredDecisions } from "../http/routes/decisions.ts";
export type { ExperimentAnswer as Experiment } from "../http/routes/experiments.ts";
export type { FeatureAnswer as Feature, Revisions } from "../http/routes/features.ts";
export type { ModelCheckAnswer as ModelCheck } from "../http/routes/model-checks.ts";
export type { ModelAnswer as Model } from "../http/routes/models.ts";
export type { PreviewAnswer as Preview } from "../http/routes/preview.ts";
export type { SessionAnswer as Session } from "../http/routes/session.ts";
export type { ImportAnswer, ImportProgress } from "../http/routes/simulate.ts";
export type { StrategiesAnswer as Strategies } from "../http/routes/strategies.ts";
export type { SystemAnswer as System } from "../http/routes/system.ts";
export type { TrainingJobAnswer as TrainingJob } from "../http/routes/train.ts";
export type { UserProfile } from "../http/routes/users.ts";
export type { StoredEventAnswer as StoredEvent } from "../http/stored-event.ts";
export type { ConditionTrace, StepTrace };

export type Decision = Omit<DecisionAnswer, "trace"> & { readonly trace?: { readonly steps: readonly StepTrace[] } };
