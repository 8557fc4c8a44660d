import { signal } from "@preact/signals";

const said = signal<string | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says in passing that something was done. */
export function say(text: string): void {
  said.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    said.value = undefined;
  }, 4_000);
}

export function Toast() {
  return (
    <div role="status" aria-live="polite">
      {said.value !== undefined && <div class="toast">{said.value}</div>}
    </div>
  );
}
