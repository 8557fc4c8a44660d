/**
 * Why the value is not as expected; undefined: it is. Objects may have more than what is expected of them. In place of a
 * value: `{"$oneOf":[...]}`, `{"$not":value}`; in a text that is expected of a header: a regular expression.
 */
export function mismatch(found: unknown, expected: unknown, path = ""): string | undefined {
  if (isObject(expected)) {
    if ("$oneOf" in expected)
      return (expected.$oneOf as unknown[]).some((one) => mismatch(found, one) === undefined)
        ? undefined
        : differs(path, found, expected.$oneOf);
    if ("$not" in expected)
      return mismatch(found, expected.$not) === undefined ? differs(path, found, expected) : undefined;
    if (!isObject(found)) return differs(path, found, expected);
    for (const [name, value] of Object.entries(expected)) {
      const wrong = mismatch(found[name], value, `${path}/${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return differs(path, found, expected);
    return expected
      .map((value, at) => mismatch(found[at], value, `${path}/${at}`))
      .find((wrong) => wrong !== undefined);
  }
  return Object.is(found, expected) ? undefined : differs(path, found, expected);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function differs(path: string, found: unknown, expected: unknown): string {
  return `${path || "/"} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
}
