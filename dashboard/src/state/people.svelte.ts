/** Whose call an alert belongs to: remembered from every call seen, asked for where an alert outlived its call. */
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, bodyOf, type Api } from '../wire/client';
import type { Call } from '../wire/types';

/** Beyond this many the ones learned first are forgotten. */
const MOST = 2_000;
/** As many as the live picture begins with. */
const PAGE = 200;

export class People {
  readonly #known = new SvelteMap<string, Call>();
  /** Ids that were asked for: those that nobody knew are not asked for again. */
  readonly #asked = new Set<string>();

  constructor(private readonly api: Api) {}

  of(callId: string): Call | undefined {
    return this.#known.get(callId);
  }

  learn(calls: Iterable<Call>): void {
    for (const call of calls) if (!this.#known.has(call.id)) this.#keep(call);
  }

  /** Asks for the calls of undecided alerts, all at once, where one of these is not known. */
  want(callIds: Iterable<string>): void {
    const unknown = [...callIds].filter((id) => !this.#known.has(id) && !this.#asked.has(id));
    if (unknown.length > 0) void this.#ask(unknown);
  }

  async #ask(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#asked.add(id);
    const query = { state: ['open' as const, 'acknowledged' as const], limit: PAGE };
    try {
      this.learn((await bodyOf(this.api.GET('/api/v1/alerts', { params: { query } }))).calls);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the alert is shown with the call's id instead
      for (const id of ids) this.#asked.delete(id);
    }
  }

  #keep(call: Call): void {
    this.#known.set(call.id, call);
    this.#asked.delete(call.id);
    const oldest = this.#known.size > MOST ? this.#known.keys().next() : undefined;
    if (oldest?.done === false) this.#known.delete(oldest.value);
  }
}
