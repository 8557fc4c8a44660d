import { because, fellBack } from "../../explanation.ts";
import { featureHref, hrefOf, userHref } from "../../router.ts";
import { environment, session } from "../../session.ts";
import type { Decision, Feature } from "../../wire.ts";
import { ago, SOURCES, shown, when } from "../../words.ts";
import { Copy } from "../copy.tsx";
import { Ladder } from "../ladder.tsx";
import { paletteOf } from "../variant.tsx";
import { type Asked, bodyOf, type Stored } from "./asked.ts";

/** The sentence, the facts and every step; ready to be taken elsewhere. */
export function Answer({
  asked,
  decision,
  feature,
  before,
}: {
  asked: Asked;
  decision: Decision;
  feature: Feature | undefined;
  /** The decision that was asked about. */
  before: Stored | "not stored" | undefined;
}) {
  const placeOf = paletteOf(Object.keys(feature?.variants ?? {}), feature?.off_variant ?? "off");
  const fell = fellBack(decision);
  const { value, variant } = decision;
  return (
    <section class="card stack" aria-label="Answer">
      <div class="answer" role="status">
        <output>{variant ?? "nothing"}</output>
        <p>{because(decision)}</p>
      </div>
      {before !== undefined && <Then stored={before} now={decision} />}
      {fell !== undefined && <p class="note warn">{fell}</p>}
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
      {decision.decision_source !== "feature_not_found" && (
        <>
          <h2>Step by step</h2>
          <Ladder decision={decision} feature={feature} placeOf={placeOf} />
        </>
      )}
      <div class="row">
        <Copy text={() => location.href}>Copy link</Copy>
        <Copy text={() => curl(asked)}>Copy as curl</Copy>
        <Copy text={() => testCase(asked, decision, feature)}>Copy as test case</Copy>
      </div>
    </section>
  );
}

/** What was served then, where that is known, beside what would be served now. */
function Then({ stored, now }: { stored: Stored | "not stored"; now: Decision }) {
  if (stored === "not stored")
    return (
      <p class="note">
        That decision itself is not stored: only the first of a user for the same variant and reason on one day is. This
        is what the same user gets now.
      </p>
    );
  const { at, variant, decision_source, feature_version, model_version, attributes } = stored;
  const same = variant === now.variant && decision_source === now.decision_source;
  return (
    <p class={`note ${same ? "" : "warn"}`}>
      <time dateTime={at} title={at}>
        {when(at)}
      </time>{" "}
      it was <b>{variant}</b>, by {SOURCES[decision_source] ?? decision_source}
      {model_version !== null && ` ${model_version}`}, with version {feature_version} of the feature.{" "}
      {same ? "Asked again now it is the same." : "Asked again now, the answer is the one above."}
      {attributes === null &&
        " No attributes were kept, as nothing learns from them: give them in the form if a step reads any."}
    </p>
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

/** The very question, for a shell; a token comes from where it is kept. */
function curl(asked: Asked): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `curl -s ${quoted(`${location.origin}/evaluate/batch`)}`,
    "-H 'content-type: application/json'",
    ...(session.value?.auth ? ['-H "authorization: Bearer $TOKEN"'] : []),
    ...(environment.value === "production" ? [] : [`-H ${quoted(`x-environment: ${environment.value}`)}`]),
    `-d ${quoted(JSON.stringify(bodyOf(asked)))}`,
  ].join(" ");
}

/** What a test needs: the feature, who asked and what must come out. */
function testCase({ feature: key, user, attributes }: Asked, decision: Decision, feature: Feature | undefined): string {
  const { variant, value, decision_source, reason, step, fallback } = decision;
  const { name, type, variants, enabled, off_variant, steps, fallback_variant } = feature ?? {};
  return JSON.stringify(
    {
      name: `${user} gets ${variant} of ${key}`,
      feature: { key, name, type, variants, enabled, off_variant, steps, fallback_variant },
      user: { ...attributes, user_id: user },
      expect: { variant, value, decision_source, reason, step, fallback },
    },
    null,
    2,
  );
}
