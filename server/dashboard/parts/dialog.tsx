import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { closeDialog } from "../router.ts";
import { Failed } from "./states.tsx";

export interface DialogProps {
  readonly title: string;
  readonly action: string;
  readonly danger?: boolean;
  readonly children: ComponentChildren;
  /** Left open, with the message, when it rejects. */
  submit(form: FormData): Promise<void> | void;
}

/** A native modal dialog around a form, for one that the address says is open: Escape and Back close, focus returns to where it was. */
export function Dialog({ title, action, danger = false, children, submit }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => (before as HTMLElement | null)?.focus?.();
  }, []);

  useEffect(() => {
    // What went wrong stands at the end, which a phone may have to scroll to.
    if (error !== undefined) dialog.current?.scrollTo({ top: dialog.current.scrollHeight });
  }, [error]);

  async function onSubmit(event: SubmitEvent) {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await submit(new FormData(event.currentTarget as HTMLFormElement));
      closeDialog();
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause)));
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={closeDialog}>
      <form onSubmit={onSubmit}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        {error !== undefined && <Failed error={error} />}
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={danger ? "danger solid" : "primary"} disabled={busy}>
            {busy ? "Working …" : action}
          </button>
        </div>
      </form>
    </dialog>
  );
}

export function Reason({ required = false, hint }: { required?: boolean; hint?: string }) {
  return (
    <div>
      <label for="reason">Reason{required ? "" : " (optional)"}</label>
      <input id="reason" name="reason" required={required} maxLength={500} autocomplete="off" />
      {hint !== undefined && <p class="hint">{hint}</p>}
    </div>
  );
}
