import fc from "fast-check";

/** As much of JSON Schema as the API's document uses for what comes in. */
export interface InputSchema {
  readonly $ref?: string;
  readonly anyOf?: readonly InputSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: InputSchema | false;
  readonly prefixItems?: readonly InputSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, InputSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: InputSchema;
  readonly additionalProperties?: InputSchema | boolean;
}

export interface ArbitraryOptions {
  /** What a `$ref` stands for. */
  resolve(schema: InputSchema): InputSchema;
  /** Names of things that are there, by the property that holds them: half of the values. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

const MAX_DEPTH = 4;
const MAX_ITEMS = 3;
const MOST_TEXT = 40;

/** Values that fit the schema; nested things get simple below a depth. */
export function schemaArbitrary(schema: InputSchema, options: ArbitraryOptions): fc.Arbitrary<unknown> {
  const made = new Map<string, fc.Arbitrary<unknown>>();

  function of(schema: InputSchema, depth: number): fc.Arbitrary<unknown> {
    if (schema.$ref !== undefined) {
      const key = `${schema.$ref} ${depth}`;
      const arbitrary = made.get(key) ?? of(options.resolve(schema), depth);
      made.set(key, arbitrary);
      return arbitrary;
    }
    if ("const" in schema) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined)
      return fc.oneof(...shallow(schema.anyOf, depth).map((option) => of(option, depth + 1)));
    if (schema.type === undefined) return fc.jsonValue({ maxDepth: 2 });
    const types = typeof schema.type === "string" ? [schema.type] : schema.type;
    return fc.oneof(...types.map((type) => ofType(type, schema, depth)));
  }

  function ofType(type: string, schema: InputSchema, depth: number): fc.Arbitrary<unknown> {
    switch (type) {
      case "null":
        return fc.constant(null);
      case "boolean":
        return fc.boolean();
      case "integer":
        return fc.integer(within(schema, 2 ** 31 - 1));
      case "number":
        return fc.double({ ...within(schema, 1e9), noNaN: true, minExcluded: schema.exclusiveMinimum !== undefined });
      case "string":
        return text(schema);
      case "array":
        return array(schema, depth);
      case "object":
        return object(schema, depth);
      default:
        throw new Error(`No values are made for the type ${type}`);
    }
  }

  function array({ prefixItems, items, minItems = 0, maxItems = MAX_ITEMS }: InputSchema, depth: number) {
    if (prefixItems !== undefined) return fc.tuple(...prefixItems.map((item) => of(item, depth + 1)));
    const most = depth < MAX_DEPTH ? Math.max(minItems, MAX_ITEMS) : minItems;
    return fc.array(of(items || {}, depth + 1), { minLength: minItems, maxLength: Math.min(maxItems, most) });
  }

  function object(schema: InputSchema, depth: number): fc.Arbitrary<unknown> {
    const { properties = {}, required = [], propertyNames = { type: "string" }, additionalProperties = {} } = schema;
    const fields: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, field(name, property, depth)]),
    );
    const stated = fc.record(fields, { requiredKeys: [...required] });
    if (additionalProperties === false) return stated;
    const value = additionalProperties === true ? {} : additionalProperties;
    const more = fc.dictionary(text(propertyNames), of(value, depth + 1), { maxKeys: MAX_ITEMS });
    return fc.tuple(more, stated).map(([extra, own]) => ({ ...extra, ...own }));
  }

  function field(name: string, property: InputSchema, depth: number): fc.Arbitrary<unknown> {
    const known = options.known[name];
    const any = of(property, depth + 1);
    return known === undefined || property.type !== "string" ? any : fc.oneof(fc.constantFrom(...known), any);
  }

  return of(schema, 0);
}

function within({ minimum, maximum, exclusiveMinimum }: InputSchema, limit: number): { min: number; max: number } {
  return { min: Math.max(minimum ?? exclusiveMinimum ?? -limit, -limit), max: Math.min(maximum ?? limit, limit) };
}

function text({ minLength = 0, maxLength = MOST_TEXT, pattern, format }: InputSchema): fc.Arbitrary<string> {
  if (format === "date-time")
    return fc
      .date({ min: new Date("2015-01-01T00:00:00Z"), max: new Date("2035-01-01T00:00:00Z"), noInvalidDate: true })
      .map((date) => date.toISOString());
  const fits = (value: string) => value.length >= minLength && value.length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: MOST_TEXT }).filter(fits);
  const length = { minLength, maxLength: Math.min(maxLength, Math.max(minLength, MOST_TEXT)) };
  const odd = fc.constantFrom("a\0b", " ", "__proto__", "\ud83d\ude80").filter(fits);
  const arbitrary = fc.oneof(fc.string(length), fc.string({ ...length, unit: "binary" }).filter(fits));
  return minLength > 4 || maxLength < 1 ? arbitrary : fc.oneof({ arbitrary, weight: 9 }, { arbitrary: odd, weight: 1 });
}

/** Below the depth only what does not refer to more, where there is such an option. */
function shallow(options: readonly InputSchema[], depth: number): readonly InputSchema[] {
  if (depth < MAX_DEPTH) return options;
  const leaves = options.filter((option) => !JSON.stringify(option).includes('"$ref"'));
  return leaves.length > 0 ? leaves : options;
}
