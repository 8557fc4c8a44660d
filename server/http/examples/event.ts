export const event = {
  event_id: "order-4711-cart",
  user_id: "ada",
  feature_key: "new-checkout",
  event_type: "addtocart",
  timestamp: "2026-01-22T19:30:00Z",
  properties: { value: 49.9, currency: "EUR" },
};

export const storedEvent = {
  id: 42,
  ...event,
  timestamp: "2026-01-22T19:30:00.000Z",
  source: null,
  ab_variant: null,
};
