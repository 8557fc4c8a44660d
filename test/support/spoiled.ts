/** A JSON value with one thing changed, and which. */
export interface Spoiled {
  readonly what: string;
  readonly value: unknown;
}

/** Of what kind a value is not: one of these is of another. */
const STRANGERS = [null, true, -1.5, 1e308, "nonsense", "x".repeat(3000), [], {}, [[]], { nonsense: true }];

/** Everything that one change makes of a JSON value: another type or size anywhere, a field less, a field more. */
export function spoiled(value: unknown, at = ""): readonly Spoiled[] {
  const replaced = STRANGERS.map((stranger) => ({
    what: `${at || "/"} is ${JSON.stringify(stranger)?.slice(0, 30)}`,
    value: stranger as unknown,
  }));
  if (Array.isArray(value))
    return [
      ...replaced,
      ...value.flatMap((item, index) =>
        spoiled(item, `${at}/${index}`).map(({ what, value: other }) => ({ what, value: value.with(index, other) })),
      ),
    ];
  if (typeof value !== "object" || value === null) return replaced;
  const entries = Object.entries(value);
  return [
    ...replaced,
    { what: `${at}/nonsense is there`, value: { ...value, nonsense: 1 } },
    ...entries.flatMap(([name, item]) => [
      { what: `${at}/${name} is missing`, value: Object.fromEntries(entries.filter(([other]) => other !== name)) },
      ...spoiled(item, `${at}/${name}`).map(({ what, value: other }) => ({ what, value: { ...value, [name]: other } })),
    ]),
  ];
}
