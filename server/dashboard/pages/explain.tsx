import { useEffect, useState } from "preact/hooks";
import { call, get } from "../api.ts";
import { because, fellBack } from "../explanation.ts";
import { Copy } from "../parts/copy.tsx";
import { Ladder } from "../parts/ladder.tsx";
import { Empty, Head, Loaded } from "../parts/states.tsx";
import { paletteOf } from "../parts/variant.tsx";
import { address, featureHref, hrefOf, query, setQuery, userHref } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Decision, Feature, Json, StoredDecisions } from "../wire.ts";
import { ago, shown } from "../words.ts";

interface Asked {
  readonly feature: string;
  readonly user: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

/** `/app/explain?feature=&user=&attributes=`: the address is the question. */
export function ExplainPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const asked = askedIn(address.value);
  const answer = useResource(asked === undefined ? undefined : `explain ${JSON.stringify(asked)}`, (signal) =>
    explain(asked as Asked, signal),
  );
  return (
    <>
      <Head
        title="Why did this user get this?"
        lead="Asks the engine that serves, step by step. Looking changes nothing: it is neither counted nor stored."
      />
      <div class="split">
        <div class="stack">
          <Who features={features.value ?? []} />
        </div>
        {asked === undefined ? (
          <Empty title="Ask about somebody">
            <p>
              Choose a feature and a user. You will see each step in the order it is asked, and what would change the
              answer.
            </p>
          </Empty>
        ) : (
          <Loaded of={answer}>
            {(decision) => (
              <Answer
                asked={asked}
                decision={decision}
                feature={features.value?.find(({ key }) => key === asked.feature)}
              />
            )}
          </Loaded>
        )}
      </div>
    </>
  );
}

function askedIn({ searchParams }: URL): Asked | undefined {
  const [feature, user] = [searchParams.get("feature"), searchParams.get("user")];
  if (!feature || !user) return undefined;
  return { feature, user, attributes: attributesIn(searchParams.get("attributes") ?? "").value ?? {} };
}

function attributesIn(text: string): { value?: Record<string, Json>; wrong?: string } {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { value: value as Record<string, Json> };
    return { wrong: 'Attributes are a JSON object, such as {"plan": "pro"}' };
  } catch (error) {
    return { wrong: (error as Error).message };
  }
}

/** A time makes it a replay: neither counted nor stored. */
async function explain({ feature, user, attributes }: Asked, signal: AbortSignal): Promise<Decision> {
  const { results } = await call<{ results: Decision[] }>(
    "POST",
    "/evaluate/batch",
    bodyOf({ feature, user, attributes }),
    {
      signal,
    },
  );
  return results[0] as Decision;
}

function bodyOf({ feature, user, attributes }: Asked) {
  return {
    feature_key: feature,
    user: { ...attributes, user_id: user },
    explain: true,
    at: new Date().toISOString(),
  };
}

function Who({ features }: { features: readonly Feature[] }) {
  const [feature, setFeature] = useState(query("feature"));
  const [user, setUser] = useState(query("user"));
  const [attributes, setAttributes] = useState(pretty(query("attributes")));
  const { wrong, value } = attributesIn(attributes);
  const search = address.value.search;
  // A link that leads here from elsewhere fills the form too.
  useEffect(() => {
    setFeature(query("feature"));
    setUser(query("user"));
    setAttributes(pretty(query("attributes")));
  }, [search]);

  function ask(event: SubmitEvent) {
    event.preventDefault();
    if (wrong !== undefined) return;
    const given = value === undefined || Object.keys(value).length === 0 ? null : JSON.stringify(value);
    setQuery({ feature, user, attributes: given });
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

function pretty(text: string): string {
  const { value } = attributesIn(text);
  return value === undefined || Object.keys(value).length === 0 ? text : JSON.stringify(value, null, 2);
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

function Answer({ asked, decision, feature }: { asked: Asked; decision: Decision; feature: Feature | undefined }) {
  const placeOf = paletteOf(Object.keys(feature?.variants ?? {}), feature?.off_variant ?? "off");
  const before = fellBack(decision);
  const { value, variant } = decision;
  return (
    <section class="card stack" aria-label="Answer">
      <div class="answer" role="status">
        <output>{variant ?? "nothing"}</output>
        <p>{because(decision)}</p>
      </div>
      {before !== undefined && <p class="note warn">{before}</p>}
      <dl class="facts">
        <Fact name="Value">{<code>{shown(value, 60)}</code>}</Fact>
        <Fact name="Reason">{<code>{decision.reason}</code>}</Fact>
        <Fact name="Feature">
          {feature === undefined ? (
            asked.feature
          ) : (
            <>
              <a href={featureHref(feature.key)}>{feature.name}</a>
              <small>
                version {decision.feature_version}, changed {ago(feature.updated_at)}
              </small>
            </>
          )}
        </Fact>
        <Fact name="User">{<a href={userHref(asked.user)}>{asked.user}</a>}</Fact>
        {decision.model_version !== null && (
          <Fact name="Model">
            <a href={hrefOf("/app/models", { version: decision.model_version })}>{decision.model_version}</a>
          </Fact>
        )}
      </dl>
      <h2>Step by step</h2>
      <Ladder decision={decision} feature={feature} placeOf={placeOf} />
      <div class="row">
        <Copy text={() => location.href}>Copy link</Copy>
        <Copy text={() => curl(asked)}>Copy as curl</Copy>
        <Copy text={() => testCase(asked, decision)}>Copy as test case</Copy>
      </div>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function curl(asked: Asked): string {
  const body = JSON.stringify(bodyOf(asked)).replaceAll("'", "'\\''");
  return `curl -s ${location.origin}/evaluate/batch -H 'content-type: application/json' -d '${body}'`;
}

/** What a test needs: who asked and what must come out. */
function testCase({ feature, user, attributes }: Asked, decision: Decision): string {
  const { variant, value, decision_source, reason, step, fallback, feature_version } = decision;
  const given = { feature_key: feature, feature_version, user: { ...attributes, user_id: user } };
  return JSON.stringify({ ...given, expect: { variant, value, decision_source, reason, step, fallback } }, null, 2);
}
