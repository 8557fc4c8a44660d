import { say } from "./toast.tsx";

/** Copies a text; where the browser does not allow that, shows it to be copied by hand. */
export function Copy({ text, children }: { text: () => string; children: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      say("Copied");
    } catch {
      prompt("Copy this", text());
    }
  };
  return (
    <button type="button" class="small" onClick={copy}>
      {children}
    </button>
  );
}
