type Event = { user_id: string; feature_key: string; event_type: string; timestamp: string };

const DAY = 86_400_000;

/** A month of 120 users in two groups, in batches: those who click often buy after they look; the others rarely do. */
export function purchases(feature_key: string, end = Date.now()): Event[][] {
  return Array.from({ length: 120 }, (_, user) => {
    const buyer = user % 2 === 0;
    const event = (event_type: string, at: number): Event => ({
      user_id: `user-${user}`,
      feature_key,
      event_type,
      timestamp: new Date(at).toISOString(),
    });
    return Array.from({ length: 6 }, (_, visit) => {
      const at = end - 30 * DAY + (visit * 4 + (user % 3)) * DAY + user * 60_000;
      const buys = buyer !== ((user + visit) % 9 === 0);
      const clicks = Array.from({ length: buyer ? 3 : 1 }, (_, click) => event("click", at + click * 1000));
      return [...clicks, event("view", at + 600_000), ...(buys ? [event("addtocart", at + 1_200_000)] : [])];
    }).flat();
  });
}
