import { useEffect, useState } from "preact/hooks";
import { get } from "../../api.ts";
import { hrefOf, query, setQuery } from "../../router.ts";
import { useResource } from "../../use-resource.ts";
import type { Feature, StoredDecisions } from "../../wire.ts";
import { type Asked, attributesIn } from "./asked.ts";

/** The question as a form; its answer is in the address. */
export function Who({ features, asked }: { features: readonly Feature[]; asked: Asked | undefined }) {
  const [feature, setFeature] = useState(query("feature"));
  const [user, setUser] = useState(query("user"));
  const [attributes, setAttributes] = useState(query("attributes"));
  const { wrong, value } = attributesIn(attributes);
  const question = JSON.stringify(asked);
  // A link or a stored decision that leads here fills the form too.
  useEffect(() => {
    setFeature(asked?.feature ?? query("feature"));
    setUser(asked?.user ?? query("user"));
    setAttributes(asked === undefined ? query("attributes") : pretty(asked.attributes));
  }, [question]);

  function ask(event: SubmitEvent) {
    event.preventDefault();
    if (wrong !== undefined) return;
    const given = value === undefined || Object.keys(value).length === 0 ? null : JSON.stringify(value);
    setQuery({ feature, user, attributes: given, decision: null });
  }

  return (
    <form class="card stack" onSubmit={ask}>
      <h2>Who asks</h2>
      <div>
        <label for="feature">Feature</label>
        <input
          id="feature"
          list="features"
          required
          value={feature}
          onInput={({ currentTarget }) => setFeature(currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
        <datalist id="features">
          {features.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </datalist>
      </div>
      <div>
        <label for="user">User id</label>
        <input
          id="user"
          required
          maxLength={200}
          value={user}
          onInput={({ currentTarget }) => setUser(currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
      </div>
      <div>
        <label for="attributes">Attributes (JSON)</label>
        <textarea
          id="attributes"
          rows={5}
          placeholder={'{\n  "plan": "pro"\n}'}
          value={attributes}
          onInput={({ currentTarget }) => setAttributes(currentTarget.value)}
          spellcheck={false}
          aria-invalid={wrong !== undefined}
          aria-describedby={wrong === undefined ? undefined : "attributes-wrong"}
        />
        {wrong !== undefined && (
          <p id="attributes-wrong" class="hint bad" role="alert">
            {wrong}
          </p>
        )}
      </div>
      <button type="submit" class="primary">
        Explain
      </button>
      {feature !== "" && <RecentUsers feature={feature} />}
    </form>
  );
}

function pretty(attributes: Asked["attributes"]): string {
  return Object.keys(attributes).length === 0 ? "" : JSON.stringify(attributes, null, 2);
}

/** Looks a decision up that was made before. */
export function ByDecision() {
  const id = query("decision");
  return (
    <form
      class="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        const decision = String(new FormData(event.currentTarget as HTMLFormElement).get("decision")).trim();
        setQuery({ decision, feature: null, user: null, attributes: null });
      }}
    >
      <h2>Or a stored decision</h2>
      <div>
        <label for="decision">Decision id</label>
        <input
          key={id}
          id="decision"
          name="decision"
          required
          maxLength={200}
          defaultValue={id}
          autocomplete="off"
          spellcheck={false}
          class="mono"
        />
        <p class="hint">Answers, traces and Live name it.</p>
      </div>
      <button type="submit">Look it up</button>
    </form>
  );
}

function RecentUsers({ feature }: { feature: string }) {
  const recent = useResource(`recent ${feature}`, (signal) =>
    get<StoredDecisions>(hrefOf("/decisions", { feature_key: feature, limit: "30" }), signal),
  );
  const users = [...new Map((recent.value?.decisions ?? []).map((decision) => [decision.user_id, decision])).values()];
  if (users.length === 0) return null;
  return (
    <div>
      <p class="label">Recent users</p>
      <ul class="row">
        {users.slice(0, 8).map(({ user_id, variant, attributes }) => (
          <li key={user_id}>
            <a
              class="chip"
              href={hrefOf("/app/explain", {
                feature,
                user: user_id,
                attributes: attributes === null ? undefined : JSON.stringify(attributes),
              })}
            >
              {user_id} <span class="soft">{variant}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
