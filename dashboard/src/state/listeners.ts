/** Who wants the events of one call as they come. */
import type { LiveMessage, LiveEvent } from '../wire/types';

export type Listener = (event: LiveEvent) => void;

export class Listeners {
  readonly #held = new Map<string, Set<Listener>>();

  /** Until the returned end is called. */
  add(callId: string, listener: Listener): () => void {
    const held = this.#held.get(callId) ?? new Set();
    this.#held.set(callId, held.add(listener));
    return () => {
      held.delete(listener);
      if (held.size === 0) this.#held.delete(callId);
    };
  }

  tell(messages: readonly LiveMessage[]): void {
    for (const message of messages) {
      if (message.type === 'event') this.#held.get(message.call_id)?.forEach((listener) => listener(message));
    }
  }
}
