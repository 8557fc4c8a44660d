import type { ComponentChildren } from "preact";

/** What may be wider than a phone scrolls within itself, also by the keyboard. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
