import { effect, signal } from "@preact/signals";
import type { Session } from "./wire.ts";

/** Who asks. undefined: not known yet. */
export const session = signal<Session | undefined>(undefined);
/** Why the server wants somebody to sign in: nobody did, or the session has ended. undefined: it does not. */
export const signedOut = signal<"nobody" | "ended" | undefined>(undefined);
/** False while the server cannot be reached. */
export const online = signal(true);
export const environment = signal(localStorage.getItem("environment") ?? "production");

export type Theme = "light" | "dark" | "system";
export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "system");

effect(() => localStorage.setItem("environment", environment.value));
effect(() => {
  localStorage.setItem("theme", theme.value);
  document.documentElement.dataset.theme = theme.value;
});
