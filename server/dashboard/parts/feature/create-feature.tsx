import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { featureHref, go } from "../../router.ts";
import type { Feature, Json } from "../../wire.ts";
import { percent } from "../../words.ts";
import { Dialog } from "../dialog.tsx";
import { say } from "../toast.tsx";
import { RolloutControl } from "./rollout-control.tsx";
import { VariantsEditor } from "./variants-editor.tsx";

type Type = Feature["type"];

const EXAMPLES: Readonly<Record<Type, readonly (readonly [string, Json])[]>> = {
  boolean: [
    ["on", true],
    ["off", false],
  ],
  string: [
    ["blue", "blue"],
    ["off", "grey"],
  ],
  number: [
    ["twenty", 20],
    ["off", 10],
  ],
  object: [
    ["new", { layout: "new" }],
    ["off", { layout: "old" }],
  ],
};

/** A feature with typed variants and a first rollout that hurts nobody: 5 %, and the off variant for everybody else. */
export function CreateFeature() {
  const [name, setName] = useState("");
  const [key, setKey] = useState<string>();
  const [type, setType] = useState<Type>("boolean");
  const [variants, setVariants] = useState(texts("boolean"));
  const [rollout, setRollout] = useState(5);
  const shownKey = key ?? keyOf(name);
  const others = variants.filter(([variant]) => variant !== "off");

  async function create(form: FormData) {
    const values = Object.fromEntries(variants.map(([variant, text]) => [variant, parse(type, text)]));
    const body = {
      name,
      key: shownKey,
      description: String(form.get("description")) || null,
      ...(type === "boolean" ? {} : { type, variants: values, off_variant: "off" }),
      ...(others.length === 1
        ? { rollout_percentage: rollout }
        : { steps: [{ id: "rollout", strategy: "hash-bucketing", config: { arms: armsOf(others, rollout) } }] }),
    };
    const made = await call<Feature>("POST", "/features", body, { reason: String(form.get("reason") ?? "") });
    say(`${made.name} is created`);
    go(featureHref(made.key));
  }

  return (
    <Dialog title="New feature" action="Create" submit={create}>
      <div>
        <label for="name">Name</label>
        <input
          id="name"
          required
          minLength={3}
          maxLength={100}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
          autocomplete="off"
        />
      </div>
      <div>
        <label for="key">Key</label>
        <input
          id="key"
          class="mono"
          required
          minLength={3}
          maxLength={50}
          pattern="[A-Za-z0-9][A-Za-z0-9_.:\-]*"
          value={shownKey}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
        <p class="hint">What your code asks for. It cannot be changed later.</p>
      </div>
      <div>
        <label for="description">Description (optional)</label>
        <input id="description" name="description" maxLength={500} autocomplete="off" />
      </div>
      <div>
        <label for="type">Its variants are</label>
        <select
          id="type"
          value={type}
          onChange={({ currentTarget }) => {
            setType(currentTarget.value as Type);
            setVariants(texts(currentTarget.value as Type));
          }}
        >
          <option value="boolean">On and off</option>
          <option value="string">Texts</option>
          <option value="number">Numbers</option>
          <option value="object">JSON objects</option>
        </select>
      </div>
      {type !== "boolean" && <VariantsEditor variants={variants} change={setVariants} />}
      <fieldset>
        <legend>First rollout</legend>
        <RolloutControl value={rollout} change={setRollout} />
        <p class="hint">
          {others.length === 1
            ? `${others[0]?.[0]} for ${percent(rollout / 100, 3)} of users`
            : `The ${others.length} other variants for ${percent(rollout / 100, 3)} of users, in equal parts`}
          , off for everybody else. A user who is in stays in when you raise it.
        </p>
      </fieldset>
    </Dialog>
  );
}

function texts(type: Type): (readonly [string, string])[] {
  return EXAMPLES[type].map(
    ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const,
  );
}

function parse(type: Type, text: string): Json {
  if (type === "string") return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Error(`“${text}” is not ${type === "number" ? "a number" : 'JSON, such as {"layout": "new"}'}`);
  }
}

/** "New checkout" is new-checkout. */
function keyOf(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/[̀-ͯ]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 50);
}

function armsOf(others: readonly (readonly [string, string])[], rollout: number) {
  const each = Math.floor((rollout / others.length) * 1000) / 1000;
  const arms = others.map(([variant]) => ({ variant, weight: each }));
  return [...arms, { variant: "off", weight: Math.round((100 - each * others.length) * 1000) / 1000 }];
}
