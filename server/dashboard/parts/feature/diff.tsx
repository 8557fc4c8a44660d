import type { DiffLine } from "../../diff.ts";

export function Diff({ lines }: { lines: readonly DiffLine[] }) {
  if (lines.length === 0) return <p class="soft">Nothing is different.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="diff" aria-label="What changes" tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div class={kind} key={index}>
          {{ same: "  ", add: "+ ", del: "− " }[kind]}
          {text}
        </div>
      ))}
    </section>
  );
}
