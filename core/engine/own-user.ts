import type { Json } from "../json.ts";
import type { User } from "../strategy.ts";

/** A copy through and through: whoever writes to it, or into it, changes nobody else's user. */
export function ownUser(user: User): User {
  return copyFields(user) as User;
}

function copyFields<Fields extends { readonly [name: string]: Json | undefined }>(fields: Fields): Fields {
  const own: Record<string, Json | undefined> = { ...fields };
  for (const name in own) {
    const value = own[name];
    if (typeof value === "object" && value !== null) own[name] = copy(value);
  }
  return own as Fields;
}

function copy(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? value.map(copy) : copyFields(value as { readonly [name: string]: Json });
}
