/** All that is live on the screen: joins the feed to what is made of its messages, and owns the timers. */
import { createContext } from 'svelte';
import { LiveFeed, type Phase } from '../live/socket';
import type { Api } from '../wire/client';
import type { Alert, LiveEvent, LiveMessage } from '../wire/types';
import { Announcements } from './announcements.svelte';
import { Missed } from './missed';
import { People } from './people.svelte';
import { adoptAlert, EMPTY, forgetCalls, reduceAll, type LiveState } from './reduce';
import { WallOrder } from './wall.svelte';

/** Sixty calls send well over a hundred messages a second; nobody reads faster than this, and drawing each costs a core. */
const DRAW_MS = 200;

/** Told after each drawing what the state was before and which messages changed it. */
type Drawn = (before: LiveState, messages: readonly LiveMessage[]) => void;

/** The reducer's state on the screen: drawn a few times a second however many messages came. */
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

export type Listener = (event: LiveEvent) => void;

/** Who wants the events of one call as they come. */
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

/** How often the wall may put its cards in a new order. */
const REARRANGE_MS = 3_000;

export class Live {
  #phase = $state.raw<Phase>({ name: 'connecting', attempt: 0 });
  #arrangeTimer: ReturnType<typeof setInterval> | undefined;
  readonly #feed: LiveFeed;
  readonly #picture = new Picture((before, messages) => this.#drawn(before, messages));
  readonly #missed: Missed;
  readonly #listeners = new Listeners();
  readonly wall = new WallOrder();
  readonly announcements = new Announcements();
  readonly people: People;

  constructor(api: Api, mayRetry: () => Promise<boolean>) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.people = new People(api);
    this.#missed = new Missed(api, (event) => this.#picture.take(event));
    this.#feed = new LiveFeed({
      url: `${scheme}://${location.host}/api/v1/live`,
      seqs: () => ({ ...this.state.seqs }),
      onMessage: (message) => this.#picture.take(message),
      onPhase: (phase) => (this.#phase = phase),
      mayRetry,
    });
  }

  get state(): LiveState {
    return this.#picture.state;
  }

  get phase(): Phase {
    return this.#phase;
  }

  start(): () => void {
    this.#feed.start();
    this.#arrangeTimer = setInterval(() => this.#rearrange(), REARRANGE_MS);
    return () => this.#stop();
  }

  retryNow(): void {
    this.#feed.retryNow();
  }

  adopt(alert: Alert): void {
    this.#picture.adopt(alert);
  }

  /** Every event of one call, as it comes, until the returned end is called. */
  listen(callId: string, listener: Listener): () => void {
    return this.#listeners.add(callId, listener);
  }

  #stop(): void {
    this.#feed.close();
    this.#picture.stop();
    clearInterval(this.#arrangeTimer);
  }

  #drawn(before: LiveState, messages: readonly LiveMessage[]): void {
    const { calls, alerts, holes } = this.state;
    if (calls !== before.calls) {
      this.wall.take(calls, Date.now());
      this.people.learn(Object.values(calls).map((summary) => summary.call));
    }
    if (alerts !== before.alerts) this.announcements.take(Object.values(alerts));
    this.#listeners.tell(messages);
    for (const [id, seq] of Object.entries(holes)) void this.#missed.ask(id, seq);
  }

  #rearrange(): void {
    this.#picture.forget(this.wall.leave(Date.now()));
    this.wall.arrange(this.state.calls);
  }
}

/** What is live, for every view below the shell. Only users who may watch have it running. */
export const [getLive, setLive] = createContext<Live>();
