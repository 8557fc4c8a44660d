import type { ComponentChildren } from "preact";
import type { ApiError } from "../api.ts";
import type { Resource } from "../use-resource.ts";

/** What stands where a resource will be: loading, failed, or `children` of what was read. */
export function Loaded<Value>({
  of,
  children,
}: {
  of: Resource<Value>;
  children: (value: Value) => ComponentChildren;
}) {
  const { value, error, reload } = of;
  // Who has to sign in is asked to: it will be read then.
  const failed = error !== undefined && error.status !== 401;
  if (value === undefined) return failed ? <Failed error={error} retry={reload} /> : <Loading />;
  return (
    <>
      {failed && error.status !== 0 && <Failed error={error} retry={reload} />}
      {children(value)}
    </>
  );
}

export function Loading() {
  return (
    <div class="card stack" aria-busy="true">
      <p class="soft" role="status">
        Loading …
      </p>
      <div class="skeleton" />
      <div class="skeleton" />
      <div class="skeleton" />
    </div>
  );
}

export function Failed({ error, retry }: { error: ApiError; retry?: (() => void) | undefined }) {
  return (
    <div class="note bad spread" role="alert">
      <p class="break grow">{error.message}</p>
      {retry !== undefined && (
        <button type="button" class="small" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Head({
  title,
  lead,
  children,
}: {
  title: ComponentChildren;
  lead?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="head">
      <div>
        <h1 tabIndex={-1} class="break">
          {title}
        </h1>
        {lead !== undefined && <p>{lead}</p>}
      </div>
      {children !== undefined && <div class="row">{children}</div>}
    </header>
  );
}
