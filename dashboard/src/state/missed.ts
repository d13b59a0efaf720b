/** Asks for the events that a call's live feed left out, one question a call at a time. */
import { bodyOf, type Api } from '../wire/client';
import type { LiveEvent } from '../wire/types';

/** Events of the call after `seq`, oldest first, a thousand at most. */
export async function eventsAfter(api: Api, callId: string, seq: number): Promise<readonly LiveEvent[]> {
  const params = { path: { call_id: callId }, query: { after: seq } };
  return (await bodyOf(api.GET('/api/v1/calls/{call_id}/events', { params }))).events;
}

export class Missed {
  readonly #asking = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly onevent: (event: LiveEvent) => void,
  ) {}

  async ask(callId: string, seq: number): Promise<void> {
    if (this.#asking.has(callId)) return;
    this.#asking.add(callId);
    try {
      for (const event of await eventsAfter(this.api, callId, seq)) this.onevent(event);
    } catch {
      // The summary is right without the missed events; the next event finds the hole again and asks again.
    } finally {
      this.#asking.delete(callId);
    }
  }
}
