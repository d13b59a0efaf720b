/** Where the wall's cards stand, and for how long those of ended calls. `now` is this machine's milliseconds. */
import type { LiveState } from './reduce';
import { arrange, outlived } from './wall';

type Calls = LiveState['calls'];

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
