/** Stays in sight while something is changed and not saved. */
export function UnsavedBar({ discard, review }: { discard: () => void; review: () => void }) {
  return (
    <section class="savebar card spread" aria-label="Unsaved changes">
      <b role="status">Changed, not saved yet</b>
      <div class="row">
        <button type="button" onClick={discard}>
          Discard
        </button>
        <button type="button" class="primary" onClick={review}>
          Review and save
        </button>
      </div>
    </section>
  );
}
