import { unfold } from "../../router.ts";
import type { Json, Strategies } from "../../wire.ts";
import { percent } from "../../words.ts";
import type { Schema } from "../form/schema.ts";
import { type Config, SchemaForm } from "../form/schema-form.tsx";
import { exactDuration } from "../form/time-unit.ts";
import { Panel } from "../panel.tsx";

/** What a feature is to improve, and how it may be learned; null: nothing, so that nobody is held out or explores. */
export function ObjectiveCard({
  objective,
  known,
  variants,
  change,
}: {
  objective: Config | null;
  known: Strategies;
  variants: readonly string[];
  change: (objective: Config | null) => void;
}) {
  if (objective === null)
    return (
      <section class="card stack" aria-label="Objective">
        <h2>Objective</h2>
        <p class="soft">
          None: nobody is held out and nothing is explored. Models can learn who is likely to convert, but not for whom
          the feature makes a difference.
        </p>
        <div>
          <button
            type="button"
            onClick={() => {
              unfold("objective", true);
              change({});
            }}
          >
            Add an objective
          </button>
        </div>
      </section>
    );
  return (
    <section class="card stack" aria-label="Objective">
      <div class="spread">
        <h2>Objective</h2>
        <button type="button" class="small" onClick={() => change(null)}>
          Remove the objective
        </button>
      </div>
      <p>{sentence(withDefaults(objective, known.objective))}</p>
      <Panel name="objective" summary="All settings">
        <SchemaForm schema={known.objective} value={objective} choices={{ safe_variant: variants }} change={change} />
      </Panel>
    </section>
  );
}

function withDefaults(objective: Config, { properties = {} }: Schema): Config {
  const usual = Object.entries(properties).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, field.default] as const],
  );
  return { ...Object.fromEntries(usual), ...objective };
}

function sentence(objective: Config): string {
  const { direction, value, event_types, window_seconds, holdout, exploration, guardrails } = objective;
  const events = quoted(event_types) || "positive";
  const what = typeof value === "object" && value !== null ? "the value of" : "how many users have";
  const within = typeof window_seconds === "number" ? exactDuration(window_seconds) : "a window chosen from the data";
  return [
    `${direction === "decrease" ? "Decrease" : "Increase"} ${what} ${events} events within ${within} of the decision`,
    ...(Array.isArray(guardrails) ? guardrails.map(guardrailWords) : []),
    `. ${shareOf(holdout)} of users are held out for ever; `,
    exploration === "frozen"
      ? "nothing is explored, so nothing is learned."
      : `${shareOf(exploration)} of decisions are drawn evenly, to learn from.`,
  ].join("");
}

function guardrailWords(guardrail: Json): string {
  const { event_types, harmful } = guardrail as Config;
  return `, without ${harmful === "decrease" ? "fewer" : "more"} ${quoted(event_types) || "harmful"} events`;
}

function quoted(types: Json | undefined): string {
  return Array.isArray(types) ? types.map((type) => `“${type}”`).join(" or ") : "";
}

function shareOf(value: Json | undefined): string {
  return typeof value === "number" ? percent(value) : "no share";
}
