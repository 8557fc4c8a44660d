/** What each metric means, by its name in the Prometheus text; printed there as HELP. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  feature_flag_evaluations_total: "Decisions, by what was served and why.",
  feature_flag_fallbacks_total:
    "Decisions in which a step that should have decided could not, by the first such step and its cause.",
  exposures_written_total: "Decisions stored in the database.",
  exposures_dropped_total: "Decisions that were not stored because the buffer was full or the process ended.",
  exposures_repeated_total: "Decisions not stored because the same one was already stored for this user on this day.",
  exposures_waiting: "Decisions waiting to be stored.",
  events_stored_total: "Events stored, duplicates not counted.",
  events_duplicates_total: "Events not stored because they were stored before, by their event_id.",
  events_rejected_total: "Events refused, by reason.",
  http_server_request_duration_seconds: "Time from a request's arrival at the application to its answer.",
  training_jobs_total: "Training jobs that ended, by status.",
  model_checks_total: "Checks of models that decide, by the health that was found.",
  model_moves_total: "Models that a check moved: advance to more users, or return to the model before.",
  model_health: "Health of the model that decides, as last checked: 0 fresh, 1 warning, 2 stopped.",
  model_psi_max: "Largest population stability index of the model's inputs and scores, as last checked.",
  model_age_seconds: "Time since the model was trained.",
  ofrep_event_streams: "Open streams that tell OFREP clients to fetch again.",
  snapshot_revision: "Revision of the configuration that is served.",
  snapshot_stale: "1 while the database cannot be reached and the last snapshot is served.",
};
