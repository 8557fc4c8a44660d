import type { Json, Strategies } from "../../wire.ts";

type Operator = Strategies["operators"][number];
/** How a value is written: `value` and `values` may be texts, numbers, true or false. Those in the plural are lists. */
export type ValueForm = NonNullable<Operator["takes"]> | "value" | "values";

export function valueFormOf(operator: Pick<Operator, "value" | "takes"> | undefined): ValueForm {
  return operator?.takes ?? (operator?.value?.startsWith("a list") ? "values" : "value");
}

/** A condition's value as its input shows it; `readValue` reads it back. */
export function writtenValue(value: Json | undefined, form: ValueForm): string {
  if (value === undefined || value === null) return "";
  if (form === "time") return localTime(value);
  if (isList(form))
    return (Array.isArray(value) ? value : [value]).map((entry) => writtenEntry(entry, form)).join(", ");
  if (typeof value !== "string") return JSON.stringify(value);
  return form === "value" && readScalar(value) !== value ? JSON.stringify(value) : value;
}

/** What cannot be read is kept as text, so that the server says what it wants instead. */
export function readValue(text: string, form: ValueForm): Json {
  if (form === "text") return text;
  if (form === "number") return numberIn(text);
  if (form === "time") return Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString();
  if (!isList(form)) return readScalar(text);
  return entriesIn(text).map((entry) => {
    if (form === "numbers") return numberIn(entry);
    if (form === "values") return readScalar(entry);
    return entry.startsWith('"') ? String(readScalar(entry)) : entry;
  });
}

function isList(form: ValueForm): form is "texts" | "numbers" | "values" {
  return form === "texts" || form === "numbers" || form === "values";
}

function writtenEntry(entry: Json, form: ValueForm): string {
  if (typeof entry !== "string") return JSON.stringify(entry);
  const plain = entry !== "" && entry.trim() === entry && !/[",]/.test(entry);
  return plain && (form === "texts" || readScalar(entry) === entry) ? entry : JSON.stringify(entry);
}

/** Separated by commas; what stands "in, quotes" is one. */
function entriesIn(text: string): readonly string[] {
  return (text.match(/\s*"(?:[^"\\]|\\.)*"\s*|[^,]+/g) ?? [])
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** Numbers, true and false are themselves, so are JSON lists and objects; "in quotes" is text whatever it says. */
function readScalar(text: string): Json {
  const trimmed = text.trim();
  if (!/^(-?\d+(\.\d+)?(e[+-]?\d+)?|true|false|".*"|\[.*\]|\{.*\})$/i.test(trimmed)) return text;
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    return text;
  }
}

function numberIn(text: string): Json {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

/** As an input of type datetime-local has it: this browser's time, without a zone. */
function localTime(value: Json): string {
  const moment = new Date(typeof value === "number" ? value : String(value));
  if (Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
