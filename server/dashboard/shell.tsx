import { useEffect } from "preact/hooks";
import { call, get } from "./api.ts";
import { EventsPage } from "./pages/events.tsx";
import { ExperimentsPage } from "./pages/experiments.tsx";
import { ExplainPage } from "./pages/explain.tsx";
import { FeaturePage } from "./pages/feature.tsx";
import { FeaturesPage } from "./pages/features.tsx";
import { LivePage } from "./pages/live.tsx";
import { ModelsPage } from "./pages/models.tsx";
import { SignIn, SignInAgain } from "./pages/sign-in.tsx";
import { SystemPage } from "./pages/system.tsx";
import { UserPage } from "./pages/user.tsx";
import { Toast } from "./parts/toast.tsx";
import { address, mayLeave } from "./router.ts";
import { environment, online, session, signedOut, type Theme, theme } from "./session.ts";
import { useResource } from "./use-resource.ts";
import type { Session } from "./wire.ts";

const PAGES = [
  ["/", "Features"],
  ["/app/explain", "Explain"],
  ["/app/live", "Live"],
  ["/app/models", "Models"],
  ["/app/experiments", "Experiments"],
  ["/app/users", "Users"],
  ["/app/system", "System"],
] as const;

export function Shell() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Top />
      {!online.value && (
        <div class="banner" role="status">
          The server cannot be reached. What is shown may be old; this page goes on trying.
        </div>
      )}
      <main id="main" key={environment.value}>
        {signedOut.value === "nobody" ? <SignIn /> : <Page />}
      </main>
      {signedOut.value === "ended" && <SignInAgain />}
      <Toast />
    </>
  );
}

function Page() {
  const path = address.value.pathname;
  const [, section = "", rest] = /^\/app\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  const name = rest === undefined ? undefined : decodeURIComponent(rest);
  if (path === "/" || path === "/app" || path === "/app/") return <FeaturesPage />;
  if (section === "features") return name === undefined ? <FeaturesPage /> : <FeaturePage key={name} name={name} />;
  if (section === "explain") return <ExplainPage />;
  if (section === "live") return <LivePage />;
  if (section === "models") return <ModelsPage />;
  if (section === "experiments") return <ExperimentsPage id={name} />;
  if (section === "users") return name === undefined ? <EventsPage /> : <UserPage key={name} id={name} />;
  if (section === "system") return <SystemPage />;
  return (
    <div class="card empty">
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        Nothing is at <code class="break">{path}</code>. <a href="/">All features</a> are on the first page.
      </p>
    </div>
  );
}

function Top() {
  const path = address.value.pathname;
  const section = path.startsWith("/app/features") || path === "/app" ? "/" : path;
  const current = PAGES.find(([href]) => (href === "/" ? section === "/" : section.startsWith(href)));
  useEffect(() => {
    document.title = `${current?.[1] ?? "Not found"} · Adaptive feature flags`;
    // On a phone the menu is wider than the screen.
    document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [current]);
  return (
    <header class="top">
      <div>
        <a class="brand" href="/">
          <Mark />
          <span>Flags</span>
        </a>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(([href, name]) => (
              <li key={href}>
                <a href={href} aria-current={href === current?.[0] ? "page" : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="tools">
          {signedOut.value !== "nobody" && <Environments />}
          <Who />
          <ThemeButton />
        </div>
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--act)" />
      <path
        d="M10 25V7.5c4-2.600 8 2.600 12 0v9.500c-4 2.600-8-2.600-12 0"
        fill="none"
        stroke="#fff"
        stroke-width="2.600"
        stroke-linejoin="round"
        stroke-linecap="round"
      />
    </svg>
  );
}

function Environments() {
  const { value } = useResource("environments", (signal) => get<{ key: string }[]>("/environments", signal));
  if (value === undefined || (value.length < 2 && environment.value === value[0]?.key)) return null;
  return (
    <select
      aria-label="Environment"
      value={environment.value}
      onChange={({ currentTarget }) => {
        if (mayLeave()) environment.value = currentTarget.value;
        else currentTarget.value = environment.value;
      }}
    >
      {value.map(({ key }) => (
        <option key={key} value={key}>
          {key}
        </option>
      ))}
    </select>
  );
}

/** Nothing where nobody signs in. */
function Who() {
  useEffect(() => {
    void get<Session>("/session").then(
      (found) => {
        session.value = found;
      },
      // Whatever is wrong, the page itself meets it too and tells.
      () => {},
    );
  }, []);
  const { auth, actor } = session.value ?? { auth: false, actor: "" };
  if (!auth || signedOut.value !== undefined) return null;
  const signOut = async () => {
    if (!mayLeave()) return;
    await call("DELETE", "/session");
    session.value = undefined;
    signedOut.value = "nobody";
  };
  return (
    <button type="button" class="plain small who" title={`Signed in as ${actor}`} onClick={signOut}>
      Sign out <span class="wordy break">{actor}</span>
    </button>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const LOOKS: Readonly<Record<Theme, string>> = { system: "◐", light: "☀", dark: "☾" };

function ThemeButton() {
  const now = theme.value;
  return (
    <button
      type="button"
      class="plain"
      title={`Colours: ${now}. Change to ${NEXT[now]}`}
      aria-label={`Colours: ${now}. Change to ${NEXT[now]}`}
      onClick={() => {
        theme.value = NEXT[now];
      }}
    >
      <span aria-hidden="true">{LOOKS[now]}</span>
    </button>
  );
}
