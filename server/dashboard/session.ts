import { effect, signal } from "@preact/signals";

/** Bearer token of this tab; gone when it is closed. Sent by us alone, so no other site can use it. */
export const token = signal(sessionStorage.getItem("token") ?? "");
/** True when the server asks for a token and we have none that it takes. */
export const signedOut = signal(false);
/** False while the server cannot be reached. */
export const online = signal(true);
export const environment = signal(localStorage.getItem("environment") ?? "production");

export type Theme = "light" | "dark" | "system";
export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "system");

effect(() => sessionStorage.setItem("token", token.value));
effect(() => localStorage.setItem("environment", environment.value));
effect(() => {
  localStorage.setItem("theme", theme.value);
  document.documentElement.dataset.theme = theme.value;
});
