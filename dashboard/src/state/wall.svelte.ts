/** Which cards the wall shows, and where: first the pure part, then what it is on this screen. */
import type { CallSummary } from '../wire/types';
import type { LiveState } from './reduce';

type Calls = LiveState['calls'];

/** An ended call stays this long, so that a card is never gone from under the eye that reads it. */
export const ENDED_STAYS_MS = 20_000;

/** Risk moves in steps of this size on the wall: a point more does not swap two cards. */
const STEP = 10;

const rank = (call: CallSummary) => (call.state === 'live' ? Math.floor(call.risk / STEP) + 1 : 0);

/**
 * The new order of call ids, riskiest first; within a step cards keep their places, newcomers stand last.
 * While `held` (a pointer or the focus is on the wall) nobody moves: cards only come and go.
 */
export function arrange(shown: readonly string[], calls: Calls, held: boolean): readonly string[] {
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

/** Where the wall's cards stand, and for how long those of ended calls. `now` is this machine's milliseconds. */
export class WallOrder {
  #ids = $state.raw<readonly string[]>([]);
  #held = $state(false);
  /** When this screen first saw each ended call ended. */
  readonly #endedSeen = new Map<string, number>();

  /** Ids of the wall's calls, in the order to show them. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** A pointer or the focus is on the wall: no card moves. */
  get held(): boolean {
    return this.#held;
  }

  hold(held: boolean): void {
    this.#held = held;
  }

  /** Calls came, changed or went: newcomers stand last until the next `arrange`. */
  take(calls: Calls, now: number): void {
    this.#ids = arrange(this.#ids, calls, this.#ids.length > 0);
    for (const [id, call] of Object.entries(calls)) {
      if (call.state === 'live')
        this.#endedSeen.delete(id); // it may have been resumed
      else if (!this.#endedSeen.has(id)) this.#endedSeen.set(id, now);
    }
  }

  /** Takes from the wall ended calls whose time is up, but not from under a pointer. */
  leave(now: number): ReadonlySet<string> {
    const gone = this.#held ? new Set<string>() : outlived(this.#endedSeen, now);
    for (const id of gone) this.#endedSeen.delete(id);
    return gone;
  }

  /** Puts the cards in a new order, where they may move. */
  arrange(calls: Calls): void {
    this.#ids = arrange(this.#ids, calls, this.#held);
  }
}
