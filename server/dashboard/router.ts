import { signal } from "@preact/signals";

/** Where we are: everything a page shows follows from this. */
export const address = signal(new URL(location.href));

addEventListener("popstate", () => {
  address.value = new URL(location.href);
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

export function go(href: string): void {
  history.pushState(null, "", href);
  address.value = new URL(location.href);
  scrollTo(0, 0);
  // Screen readers and the keyboard go on from the new page's heading.
  requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true }));
}

/** Changes parameters of the address; null and "" remove. Pushes nothing into the history: it is the same page. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes))
    if (value === null || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  history.replaceState(null, "", url);
  address.value = url;
}

export function query(name: string): string {
  return address.value.searchParams.get(name) ?? "";
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

function isPage(path: string): boolean {
  return path === "/" || path === "/app" || path.startsWith("/app/");
}
