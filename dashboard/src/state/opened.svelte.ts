/** A call that is open on the screen: its record, followed live, with missed events asked for. */
import { ApiError, bodyOf, type Api } from '../wire/client';
import type { Alert, LiveEvent, NoteAnswer } from '../wire/types';
import { adoptNote, changeAlert, follow, fromRecord, type CallDetail } from './detail';
import type { Live } from './live.svelte';
import { eventsAfter } from './missed';

export type Loading = 'loading' | 'missing' | 'failed' | 'here';

export class OpenedCall {
  #detail = $state.raw<CallDetail | null>(null);
  #loading = $state<Loading>('loading');
  #early: LiveEvent[] = [];
  #filling = false;

  constructor(
    private readonly id: string,
    private readonly api: Api,
    private readonly live: Live,
  ) {}

  get detail(): CallDetail | null {
    return this.#detail;
  }

  get loading(): Loading {
    return this.#loading;
  }

  /** Loads and follows until the returned end is called. */
  start(): () => void {
    const end = this.live.listen(this.id, (event) => this.#take(event));
    void this.load();
    return end;
  }

  async load(): Promise<void> {
    if (this.#detail === null) this.#loading = 'loading';
    try {
      this.#detail = fromRecord(
        await bodyOf(this.api.GET('/api/v1/calls/{call_id}', { params: { path: { call_id: this.id } } })),
      );
      this.#loading = 'here';
      const early = this.#early;
      this.#early = [];
      early.forEach((event) => this.#take(event));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#loading = error.status === 404 ? 'missing' : 'failed';
    }
  }

  /** An alert as a decision left it: shown at once here and in the live picture. */
  adopt(alert: Alert): void {
    this.live.adopt(alert);
    if (this.#detail !== null) this.#detail = changeAlert(this.#detail, alert.id, alert);
  }

  /** The note as a correction left it: shown at once. */
  adoptNote(answer: NoteAnswer): void {
    if (this.#detail !== null) this.#detail = adoptNote(this.#detail, answer);
  }

  #take(event: LiveEvent): void {
    if (this.#detail === null) {
      this.#early.push(event);
      return;
    }
    this.#detail = follow(this.#detail, event);
    if (this.#detail.hole) void this.#fill();
  }

  async #fill(): Promise<void> {
    if (this.#filling || this.#detail === null) return;
    this.#filling = true;
    try {
      for (const event of await eventsAfter(this.api, this.id, this.#detail.seq)) {
        this.#detail = follow(this.#detail, event);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the next event asks again
    } finally {
      this.#filling = false;
    }
  }
}
