import { effect, signal } from "@preact/signals";

/** Where we are: everything a page shows follows from this. */
export const address = signal(new URL(location.href));
/** True while the page has edits that leaving it would lose. */
export const unsaved = signal(false);

addEventListener("popstate", () => {
  const there = new URL(location.href);
  // The browser has gone already: who would rather stay is put back.
  if (leaves(there) && !mayLeave()) history.pushState(null, "", address.value);
  else address.value = there;
});

effect(() => {
  if (!unsaved.value) return;
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener("beforeunload", ask);
  return () => removeEventListener("beforeunload", ask);
});

/** Follows links of this dashboard without loading the page again. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest?.("a");
  if (link?.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (!isPage(link.pathname) || (link.pathname === location.pathname && link.hash !== "")) return;
  event.preventDefault();
  go(link.href);
});

/** To another page; in the place of an open dialog, which is done with. */
export function go(href: string): void {
  const there = new URL(href, location.href);
  if (leaves(there) && !mayLeave()) return;
  if (hasOwnEntry()) history.replaceState(null, "", there);
  else history.pushState(null, "", there);
  address.value = there;
  scrollTo(0, 0);
  // Screen readers and the keyboard go on from the new page's heading.
  requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true }));
}

/** False: somebody has edits, was asked, and stays. */
export function mayLeave(): boolean {
  if (unsaved.value && !confirm("Leave without saving? What you changed here will be lost.")) return false;
  unsaved.value = false;
  return true;
}

/** Changes parameters of the address; null and "" remove. Pushes nothing into the history: it is the same page. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  address.value = withQuery(changes);
  history.replaceState(history.state, "", address.value);
}

export function query(name: string): string {
  return address.value.searchParams.get(name) ?? "";
}

/** Opens the dialog that the page calls so, as `?open=`: a step in the history, which Back undoes. One is open at a time. */
export function openDialog(name: string, more: Readonly<Record<string, string>> = {}): void {
  const there = withQuery({ ...more, open: name });
  if (query("open") === "") history.pushState({ dialog: true }, "", there);
  else history.replaceState(history.state, "", there);
  address.value = there;
}

/** The name of the dialog that is open; "": none. */
export function openedDialog(): string {
  return query("open");
}

export function closeDialog(): void {
  if (openedDialog() === "") return;
  const there = withQuery({ open: null });
  if (hasOwnEntry()) history.back();
  else history.replaceState(null, "", there);
  // The browser goes back a moment later: the dialog is closed now.
  address.value = there;
}

/** Whether a part that can be folded is unfolded: each has its own `?panel=`. */
export function isUnfolded(panel: string): boolean {
  return address.value.searchParams.getAll("panel").includes(panel);
}

export function unfold(panel: string, open: boolean): void {
  if (isUnfolded(panel) === open) return;
  const there = new URL(address.value);
  if (open) there.searchParams.append("panel", panel);
  else there.searchParams.delete("panel", panel);
  history.replaceState(history.state, "", there);
  address.value = there;
}

/** The address of a page with parameters; undefined and "" are left out. */
export function hrefOf(path: string, parameters: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given as [string, string][])}`;
}

export function featureHref(key: string): string {
  return `/app/features/${encodeURIComponent(key)}`;
}

export function userHref(id: string): string {
  return `/app/users/${encodeURIComponent(id)}`;
}

function withQuery(changes: Readonly<Record<string, string | null>>): URL {
  const url = new URL(address.value);
  for (const [name, value] of Object.entries(changes))
    if (value === null || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  return url;
}

/** A dialog that was opened here, not by a link, has an entry of its own in the history; that survives a reload. */
function hasOwnEntry(): boolean {
  return (history.state as { dialog?: true } | null)?.dialog === true;
}

function leaves({ pathname }: URL): boolean {
  return pathname !== address.value.pathname;
}

function isPage(path: string): boolean {
  return path === "/" || path === "/app" || path.startsWith("/app/");
}
