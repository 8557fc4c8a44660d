import type { Json, StoredDecisions } from "../../wire.ts";

export type Stored = StoredDecisions["decisions"][number];

/** Whom is asked about, and of which feature. */
export interface Asked {
  readonly feature: string;
  readonly user: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

export function askedIn({ searchParams }: URL): Asked | undefined {
  const [feature, user] = [searchParams.get("feature"), searchParams.get("user")];
  if (!feature || !user) return undefined;
  return { feature, user, attributes: attributesIn(searchParams.get("attributes") ?? "").value ?? {} };
}

export function askedOf(stored: Stored | undefined): Asked | undefined {
  return stored && { feature: stored.feature_key, user: stored.user_id, attributes: stored.attributes ?? {} };
}

export function attributesIn(text: string): { value?: Record<string, Json>; wrong?: string } {
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

/** Of POST /evaluate/batch. A time makes it a replay: neither counted nor stored. */
export function bodyOf({ feature, user, attributes }: Asked) {
  return {
    feature_key: feature,
    user: { ...attributes, user_id: user },
    explain: true,
    at: new Date().toISOString(),
  };
}
