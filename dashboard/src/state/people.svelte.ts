/** Whose call an alert belongs to: remembered from every call seen, asked for where an alert outlived its call. */
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, bodyOf, type Api } from '../wire/client';
import type { Call } from '../wire/types';

/** Beyond this many the ones learned first are forgotten. */
const MOST = 2_000;

export class People {
  readonly #known = new SvelteMap<string, Call>();
  readonly #wanted = new Set<string>();
  #asking = false;

  constructor(private readonly api: Api) {}

  of(callId: string): Call | undefined {
    return this.#known.get(callId);
  }

  learn(calls: Iterable<Call>): void {
    for (const call of calls) if (!this.#known.has(call.id)) this.#keep(call);
  }

  /** Asks the service for calls not known, one after the other: nobody waits for these names. */
  want(callIds: Iterable<string>): void {
    for (const id of callIds) if (!this.#known.has(id)) this.#wanted.add(id);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    for (const id of this.#wanted) {
      this.#wanted.delete(id);
      try {
        const params = { path: { call_id: id } };
        this.#keep((await bodyOf(this.api.GET('/api/v1/calls/{call_id}', { params }))).summary.call);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error; // the alert is shown with the call's id instead
      }
    }
    this.#asking = false;
  }

  #keep(call: Call): void {
    this.#known.set(call.id, call);
    const oldest = this.#known.size > MOST ? this.#known.keys().next() : undefined;
    if (oldest?.done === false) this.#known.delete(oldest.value);
  }
}
