import type { Json } from "../../wire.ts";
import { percent } from "../../words.ts";
import { exactDuration } from "./time-unit.ts";

/** As much of JSON Schema as forms are made of. */
export interface Schema {
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

/** "max_age_seconds" is "Max age": the unit stands beside the number. */
export function labelOf(name: string, { title }: Schema = {}): string {
  if (title !== undefined) return title;
  const words = name.replace(/_(seconds|ms)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a field means and what it is when it is left empty. */
export function hintOf(name: string, schema: Schema): string | undefined {
  const { default: usual } = schema;
  const description = schema.description?.replaceAll("`", "");
  const said = usual === undefined || isObject(usual) ? undefined : `Default: ${inWords(name, schema, usual)}`;
  return description === undefined ? said : said === undefined ? description : `${description}. ${said}`;
}

export function inWords(name: string, schema: Schema, value: Json): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value).replaceAll("_", " ");
  if (isDuration(name)) return exactDuration(value);
  return isShare(schema) ? `${value} (${percent(value)})` : String(value);
}

export function isDuration(name: string): boolean {
  return name.endsWith("_seconds");
}

/** A number between 0 and 1 is a share, or a probability: both are understood in percent. */
export function isShare(schema: Schema): boolean {
  const { type, minimum, exclusiveMinimum, maximum, anyOf } = schema;
  if (anyOf !== undefined) return anyOf.some(isShare);
  return type === "number" && (minimum ?? exclusiveMinimum ?? -1) >= 0 && maximum !== undefined && maximum <= 1;
}

export function isObject(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
