/** Asks for the events that a call's live feed left out, one question a call at a time. */
import type { Api } from '../wire/api';
import type { LiveEvent } from '../wire/types';

export class Missed {
  readonly #asking = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly onevent: (event: LiveEvent) => void,
  ) {}

  /** Events of the call after `seq`. */
  async ask(callId: string, seq: number): Promise<void> {
    if (this.#asking.has(callId)) return;
    this.#asking.add(callId);
    try {
      for (const event of await this.api.events(callId, seq)) this.onevent(event);
    } catch {
      // The summary is right without the missed events; the next event finds the hole again and asks again.
    } finally {
      this.#asking.delete(callId);
    }
  }
}
