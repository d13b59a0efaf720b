/** Which cards the wall shows, and where. Pure. */
import type { CallSummary } from '../wire/types';

/** An ended call stays this long, so that a card is never gone from under the eye that reads it. */
export const ENDED_STAYS_MS = 20_000;

/** Risk moves in steps of this size on the wall: a point more does not swap two cards. */
const STEP = 10;

const rank = (call: CallSummary) => (call.state === 'live' ? Math.floor(call.risk / STEP) + 1 : 0);

/**
 * The new order of call ids, riskiest first; within a step cards keep their places, newcomers stand last.
 * While `held` (a pointer or the focus is on the wall) nobody moves: cards only come and go.
 */
export function arrange(
  shown: readonly string[],
  calls: Readonly<Record<string, CallSummary>>,
  held: boolean,
): readonly string[] {
  const stay = shown.filter((id) => id in calls);
  const known = new Set(stay);
  const fresh = Object.values(calls)
    .filter((call) => !known.has(call.call.id))
    .sort((a, b) => a.call.started_at.localeCompare(b.call.started_at))
    .map((call) => call.call.id);
  const all = [...stay, ...fresh];
  if (held) return all;
  const place = new Map(all.map((id, index) => [id, index]));
  const rankOf = (id: string) => (calls[id] === undefined ? 0 : rank(calls[id]));
  return all.sort((a, b) => rankOf(b) - rankOf(a) || (place.get(a) ?? 0) - (place.get(b) ?? 0));
}

/** Ended calls whose time on the wall is up; `seen` holds when this screen first saw each one ended. */
export function outlived(seen: ReadonlyMap<string, number>, now: number): ReadonlySet<string> {
  return new Set([...seen].filter(([, at]) => now - at > ENDED_STAYS_MS).map(([id]) => id));
}
