import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call } from "../api.ts";
import { Failed } from "../parts/states.tsx";
import { environment, session, signedOut } from "../session.ts";
import type { Session } from "../wire.ts";

/** Nobody is signed in: the page waits until somebody is. */
export function SignIn() {
  return (
    <div class="card sign-in">
      <Form>
        <h1 tabIndex={-1}>Sign in</h1>
        <p class="soft">This server wants to know who asks.</p>
      </Form>
    </div>
  );
}

/** The session has ended: over what one was doing, which goes on afterwards. */
export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="again" aria-labelledby="again" onCancel={(event) => event.preventDefault()}>
      <Form>
        <h2 id="again">Your session has ended</h2>
        <p>Sign in again, and go on where you were: what you have not saved is still there.</p>
      </Form>
    </dialog>
  );
}

/** Changes the issuer's key, or a token, for a session. */
function Form({ children }: { children: preact.ComponentChildren }) {
  const [error, setError] = useState<ApiError>();
  async function signIn(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const secret = String(form.get("key"));
    try {
      session.value = await call<Session>("POST", "/session", {
        ...(isToken(secret) ? { access_token: secret } : { issuer_key: secret }),
        subject: String(form.get("name")) || "dashboard",
      });
      environment.value = session.value.environment ?? environment.value;
      signedOut.value = undefined;
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause)));
    }
  }
  return (
    <form class="stack" onSubmit={signIn}>
      {children}
      <div>
        <label for="who">Your name, for the history</label>
        <input
          id="who"
          name="name"
          autocomplete="username"
          maxLength={200}
          defaultValue={session.value?.auth ? session.value.actor : ""}
        />
      </div>
      <div>
        <label for="issuer">Issuer key or token</label>
        <input id="issuer" name="key" type="password" required autocomplete="current-password" />
      </div>
      {error !== undefined && <Failed error={error} />}
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}

function isToken(secret: string): boolean {
  return /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(secret);
}
