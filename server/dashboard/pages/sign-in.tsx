import { useState } from "preact/hooks";
import { ApiError, call } from "../api.ts";
import { Failed } from "../parts/states.tsx";
import { signedOut, token } from "../session.ts";

/** Changes the issuer's key for a token of this tab. */
export function SignIn() {
  const [error, setError] = useState<ApiError>();
  async function signIn(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    try {
      const { access_token } = await call<{ access_token: string }>("POST", "/auth/token", {
        issuer_key: String(form.get("key")),
        subject: String(form.get("name")) || "dashboard",
      });
      token.value = access_token;
      signedOut.value = false;
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause)));
    }
  }
  return (
    <form class="card stack sign-in" onSubmit={signIn}>
      <h1 tabIndex={-1}>Sign in</h1>
      <p class="soft">This server asks for a token. It is kept in this tab until you close it.</p>
      <div>
        <label for="who">Your name, for the history</label>
        <input id="who" name="name" autocomplete="username" maxLength={200} />
      </div>
      <div>
        <label for="issuer">Issuer key</label>
        <input id="issuer" name="key" type="password" required autocomplete="current-password" />
      </div>
      {error !== undefined && <Failed error={error} />}
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
