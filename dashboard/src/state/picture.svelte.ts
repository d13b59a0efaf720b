/** The reducer's state on the screen: drawn a few times a second however many messages came. */
import type { Alert, LiveMessage } from '../wire/types';
import { adoptAlert, EMPTY, forgetCalls, reduceAll, type LiveState } from './reduce';

/** Sixty calls send well over a hundred messages a second; nobody reads faster than this, and drawing each costs a core. */
const DRAW_MS = 200;

/** Told after each drawing what the state was before and which messages changed it. */
export type Drawn = (before: LiveState, messages: readonly LiveMessage[]) => void;

export class Picture {
  #state = $state.raw<LiveState>(EMPTY);
  #waiting: LiveMessage[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly ondrawn: Drawn) {}

  get state(): LiveState {
    return this.#state;
  }

  take(message: LiveMessage): void {
    this.#waiting.push(message);
    this.#timer ??= setTimeout(() => this.#draw(), DRAW_MS);
  }

  adopt(alert: Alert): void {
    this.#state = adoptAlert(this.#state, alert);
  }

  forget(callIds: ReadonlySet<string>): void {
    this.#state = forgetCalls(this.#state, callIds);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #draw(): void {
    this.#timer = undefined;
    const messages = this.#waiting;
    this.#waiting = [];
    const before = this.#state;
    this.#state = reduceAll(before, messages, Date.now());
    this.ondrawn(before, messages);
  }
}
