import type { User } from "../../core/strategy.ts";

/** The same user, noting in `read` the JSON pointer of every attribute that is looked at, nested ones too. */
export function recordReads(user: User, read: Set<string>): User {
  return watch(user, "", read);
}

function watch<T extends object>(value: T, path: string, read: Set<string>): T {
  return new Proxy(value, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (typeof name === "symbol" || (!Object.hasOwn(target, name) && name in Object.prototype)) return found;
      const pointer = note(path, name, read);
      return typeof found === "object" && found !== null ? watch(found, pointer, read) : found;
    },
    has(target, name) {
      if (typeof name === "string") note(path, name, read);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      if (typeof name === "string") note(path, name, read);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
}

function note(path: string, name: string, read: Set<string>): string {
  const pointer = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  read.add(pointer);
  return pointer;
}
