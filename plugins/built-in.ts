import type { Strategy } from "../core/strategy.ts";
import { strategy as bandit } from "./bandit/bandit.ts";
import { strategy as hashBucketing } from "./hash-bucketing/hash-bucketing.ts";
import { strategy as mlModel } from "./ml-model/ml-model.ts";
import { strategy as ruleFilters } from "./rule-filters/rule-filters.ts";

/** The strategies every server has, and every client that decides for itself. Runs wherever core does. */
export const builtIn: readonly Strategy[] = [ruleFilters, hashBucketing, mlModel, bandit];
