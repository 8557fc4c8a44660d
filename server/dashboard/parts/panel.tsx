import type { ComponentChildren } from "preact";
import { isUnfolded, unfold } from "../router.ts";

/** A part that is folded until asked for; `name` says in the address that it was. */
export function Panel({
  name,
  summary,
  class: look,
  children,
}: {
  name: string;
  summary: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <details class={look} open={isUnfolded(name)} onToggle={({ currentTarget }) => unfold(name, currentTarget.open)}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
