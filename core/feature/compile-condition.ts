import { bucketBy } from "../bucketing/bucket.ts";
import { compileGate, passes } from "../bucketing/gate.ts";
import { readUnit } from "../bucketing/unit.ts";
import type { ConditionTrace } from "../decision/decision.ts";
import type { CompiledCondition } from "../strategy.ts";
import { compileAttribute } from "./attribute.ts";
import { type Condition, completeGate, MAX_DEPTH } from "./condition.ts";
import { findOperator } from "./operators.ts";

/** What a condition may refer to. */
export interface ConditionScope {
  /** undefined: there is no such segment. */
  segment(key: string): CompiledCondition | undefined;
  /** Off variant of another feature; undefined: there is no such feature. */
  offVariant(featureKey: string): string | undefined;
  /** Seed of gates that were stored without one. */
  readonly seed: string;
  /** Conditions on attributes compiled so far, by what they were compiled from. Default: none is kept. */
  readonly known?: WeakMap<Condition & object, CompiledCondition> | undefined;
}

/**
 * Parses a condition once: patterns, versions, dates, lists. Throws a TypeError or RangeError when it is not sound, which
 * stored conditions are not: they were checked on write. The compiled condition is total; missing is no. An operator whose
 * plugin is gone is no match, and neither is the negation of what asks it.
 */
export function compileCondition(condition: Condition, scope: ConditionScope): CompiledCondition {
  return compileAt(condition, scope, 1);
}

function compileAt(condition: Condition, scope: ConditionScope, depth: number): CompiledCondition {
  if (depth > MAX_DEPTH) throw new RangeError(`Cannot compile a condition nested more than ${MAX_DEPTH} deep`);
  if (typeof condition === "boolean") return condition ? ALWAYS : NEVER;
  if ("all" in condition) return compileAll(condition.all.map((child) => compileAt(child, scope, depth + 1)));
  if ("any" in condition) return compileAny(condition.any.map((child) => compileAt(child, scope, depth + 1)));
  if ("not" in condition) return compileNot(compileAt(condition.not, scope, depth + 1));
  if ("segment" in condition) return compileSegment(condition.segment, scope);
  if ("feature" in condition) return compileFeature(condition, scope);
  if ("gate" in condition) return compileGateCondition(condition, scope);
  const compiled = scope.known?.get(condition) ?? compileAttributeCondition(condition);
  scope.known?.set(condition, compiled);
  return compiled;
}

const ALWAYS: CompiledCondition = { test: () => true, explain: () => ({ condition: "always", result: "yes" }) };
const NEVER: CompiledCondition = { test: () => false, explain: () => ({ condition: "never", result: "no" }) };

function compileAll(children: readonly CompiledCondition[]): CompiledCondition {
  return {
    test(ask) {
      for (let at = 0; at < children.length; at += 1) if (!(children[at] as CompiledCondition).test(ask)) return false;
      return true;
    },
    explain(ask) {
      const traces = children.map((child) => child.explain(ask));
      return { condition: "all", result: yesOrNo(traces.every(holds)), children: traces };
    },
    ...goneIn(children),
  };
}

function compileAny(children: readonly CompiledCondition[]): CompiledCondition {
  return {
    test(ask) {
      for (let at = 0; at < children.length; at += 1) if ((children[at] as CompiledCondition).test(ask)) return true;
      return false;
    },
    explain(ask) {
      const traces = children.map((child) => child.explain(ask));
      return { condition: "any", result: yesOrNo(traces.some(holds)), children: traces };
    },
    ...goneIn(children),
  };
}

function compileNot(child: CompiledCondition): CompiledCondition {
  if (child.gone !== undefined)
    return {
      test: () => false,
      explain: (ask) => ({ condition: "not", result: "missing", children: [child.explain(ask)] }),
      gone: child.gone,
    };
  return {
    test: (ask) => !child.test(ask),
    explain(ask) {
      const trace = child.explain(ask);
      return { condition: "not", result: yesOrNo(!holds(trace)), children: [trace] };
    },
  };
}

function compileSegment(key: string, scope: ConditionScope): CompiledCondition {
  const segment = scope.segment(key);
  if (segment === undefined)
    return { test: () => false, explain: () => ({ condition: "segment", result: "missing", segment: key }) };
  return {
    test: (ask) => segment.test(ask),
    explain(ask) {
      const trace = segment.explain(ask);
      return { condition: "segment", result: yesOrNo(holds(trace)), segment: key, children: [trace] };
    },
    ...goneIn([segment]),
  };
}

function compileFeature(condition: Extract<Condition, { feature: string }>, scope: ConditionScope): CompiledCondition {
  const key = condition.feature;
  const wanted = condition.variant === undefined ? undefined : new Set(condition.variant);
  const off = scope.offVariant(key);
  const accepts = (served: string) => (wanted === undefined ? served !== off : wanted.has(served));
  return {
    test(ask) {
      const served = ask.variantOf(key);
      return served !== undefined && accepts(served);
    },
    explain(ask) {
      const served = ask.variantOf(key);
      const expected = condition.variant ?? `not ${off}`;
      if (served === undefined) return { condition: "feature", result: "missing", feature: key, expected };
      return { condition: "feature", result: yesOrNo(accepts(served)), feature: key, expected, found: served };
    },
  };
}

function compileGateCondition(
  condition: Extract<Condition, { gate: unknown }>,
  scope: ConditionScope,
): CompiledCondition {
  const gate = compileGate(completeGate(condition.gate, scope.seed), scope.seed);
  return {
    test: (ask) => passes(gate, ask.user) === true,
    explain(ask) {
      const through = passes(gate, ask.user);
      const unit = readUnit(ask.user, gate.unit);
      return {
        condition: "gate",
        result: through === undefined ? "missing" : yesOrNo(through),
        percentage: gate.percentage,
        ...(unit === undefined ? {} : { bucket: bucketBy(gate, unit) }),
      };
    },
  };
}

function compileAttributeCondition(condition: Extract<Condition, { attribute: string }>): CompiledCondition {
  const read = compileAttribute(condition.attribute);
  const operator = findOperator(condition.op);
  if (operator === undefined) return compileGone(condition);
  const matches = operator.compile(condition.value);
  const missing = operator.missing ?? false;
  return {
    test(ask) {
      const found = read(ask.user);
      return found === undefined || found === null ? missing : matches(found);
    },
    explain(ask) {
      const found = read(ask.user);
      const asked: Omit<ConditionTrace, "result"> = {
        condition: "attribute",
        attribute: condition.attribute,
        op: condition.op,
        ...(condition.value === undefined ? {} : { expected: condition.value }),
      };
      if (found === undefined || found === null) return { ...asked, result: missing ? "yes" : "missing" };
      return { ...asked, result: yesOrNo(matches(found)), found };
    },
  };
}

function compileGone({ attribute, op, value }: Extract<Condition, { attribute: string }>): CompiledCondition {
  const gone = `There is no operator "${op}": is its plugin loaded?`;
  const asked = { condition: "attribute", attribute, op, ...(value === undefined ? {} : { expected: value }) } as const;
  return { test: () => false, explain: () => ({ ...asked, result: "missing", detail: gone }), gone };
}

/** Why one of these cannot be known, to be passed on; nothing when all can. */
function goneIn(children: readonly CompiledCondition[]): Pick<CompiledCondition, "gone"> {
  const gone = children.find((child) => child.gone !== undefined)?.gone;
  return gone === undefined ? {} : { gone };
}

function holds(trace: ConditionTrace): boolean {
  return trace.result === "yes";
}

function yesOrNo(answer: boolean): "yes" | "no" {
  return answer ? "yes" : "no";
}
