/** Equal as JSON: the order of names does not matter, a name that is undefined counts as left out. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((entry, index) => sameJson(entry, right[index]));
  }
  const entries = present(left);
  const others = new Map(present(right));
  return (
    entries.length === others.size &&
    entries.every(([name, entry]) => others.has(name) && sameJson(entry, others.get(name)))
  );
}

function present(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, entry]) => entry !== undefined);
}
