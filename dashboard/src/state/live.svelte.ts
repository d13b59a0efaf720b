/** The live picture on the screen: the reducer's state, drawn a few times a second however many messages came. */
import { LiveFeed, type Phase } from '../live/socket';
import type { Api } from '../wire/api';
import type { Alert, LiveEvent, LiveMessage } from '../wire/types';
import { adoptAlert, EMPTY, forgetCalls, reduceAll, type LiveState } from './reduce';
import { People } from './people.svelte';
import { arrange, outlived } from './wall';

type Listener = (event: LiveEvent) => void;

/** How often the wall may put its cards in a new order. */
const REARRANGE_MS = 3_000;
/** Sixty calls send well over a hundred messages a second; nobody reads faster than this, and drawing each costs a core. */
const DRAW_MS = 200;

export class Live {
  #state = $state.raw<LiveState>(EMPTY);
  #phase = $state.raw<Phase>({ name: 'connecting', attempt: 0 });
  #order = $state.raw<readonly string[]>([]);
  #held = $state(false);
  #urgent = $state.raw<Alert | null>(null);

  #queue: LiveMessage[] = [];
  #drawTimer: ReturnType<typeof setTimeout> | undefined;
  #arrangeTimer: ReturnType<typeof setInterval> | undefined;
  readonly #endedSeen = new Map<string, number>();
  readonly #filling = new Set<string>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #feed: LiveFeed;
  readonly people: People;
  /** Alerts known before: only those never seen are announced, even after a reconnection. Null until the first picture. */
  #announced: Set<string> | null = null;

  constructor(
    private readonly api: Api,
    mayRetry: () => Promise<boolean>,
  ) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.people = new People(api);
    this.#feed = new LiveFeed({
      url: `${scheme}://${location.host}/api/v1/live`,
      seqs: () => ({ ...this.#state.seqs }),
      onMessage: (message) => this.#take(message),
      onPhase: (phase) => (this.#phase = phase),
      mayRetry,
    });
  }

  get state(): LiveState {
    return this.#state;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Ids of the wall's calls, in the order to show them. */
  get order(): readonly string[] {
    return this.#order;
  }

  get held(): boolean {
    return this.#held;
  }

  /** The newest critical alert nobody on this screen has been told of. */
  get urgent(): Alert | null {
    return this.#urgent;
  }

  start(): () => void {
    this.#feed.start();
    this.#arrangeTimer = setInterval(() => this.#tick(), REARRANGE_MS);
    return () => this.#stop();
  }

  retryNow(): void {
    this.#feed.retryNow();
  }

  hold(held: boolean): void {
    this.#held = held;
  }

  adopt(alert: Alert): void {
    this.#state = adoptAlert(this.#state, alert);
  }

  /** Every event of one call, as it comes, until the returned end is called. */
  listen(callId: string, listener: Listener): () => void {
    const held = this.#listeners.get(callId) ?? new Set();
    this.#listeners.set(callId, held.add(listener));
    return () => {
      held.delete(listener);
      if (held.size === 0) this.#listeners.delete(callId);
    };
  }

  #stop(): void {
    this.#feed.close();
    clearInterval(this.#arrangeTimer);
    clearTimeout(this.#drawTimer);
  }

  #take(message: LiveMessage): void {
    this.#queue.push(message);
    this.#drawTimer ??= setTimeout(() => this.#flush(), DRAW_MS);
  }

  #flush(): void {
    this.#drawTimer = undefined;
    const messages = this.#queue;
    this.#queue = [];
    const before = this.#state;
    this.#state = reduceAll(before, messages, Date.now());
    if (this.#state.calls !== before.calls) this.#noticeCalls();
    if (this.#state.alerts !== before.alerts) this.#announce();
    for (const message of messages) {
      if (message.type === 'event') this.#listeners.get(message.call_id)?.forEach((listener) => listener(message));
    }
    for (const id of Object.keys(this.#state.holes)) void this.#fill(id);
  }

  #noticeCalls(): void {
    this.#order = arrange(this.#order, this.#state.calls, this.#order.length > 0);
    this.people.learn(Object.values(this.#state.calls).map((summary) => summary.call));
    for (const [id, call] of Object.entries(this.#state.calls)) {
      if (call.state === 'live')
        this.#endedSeen.delete(id); // it may have been resumed
      else if (!this.#endedSeen.has(id)) this.#endedSeen.set(id, Date.now());
    }
  }

  #tick(): void {
    const gone = outlived(this.#endedSeen, Date.now());
    for (const id of gone) this.#endedSeen.delete(id);
    if (!this.#held) this.#state = forgetCalls(this.#state, gone);
    else for (const id of gone) this.#endedSeen.set(id, 0);
    this.#order = arrange(this.#order, this.#state.calls, this.#held);
  }

  #announce(): void {
    const known = this.#announced;
    const alerts = Object.values(this.#state.alerts);
    this.#announced = new Set(alerts.map((alert) => alert.id));
    if (known === null) return;
    const fresh = alerts.filter((a) => a.severity === 'critical' && a.state === 'open' && !known.has(a.id));
    fresh.sort((a, b) => a.raised_at.localeCompare(b.raised_at));
    this.#urgent = fresh.at(-1) ?? this.#urgent;
  }

  async #fill(callId: string): Promise<void> {
    const after = this.#state.holes[callId];
    if (after === undefined || this.#filling.has(callId)) return;
    this.#filling.add(callId);
    try {
      for (const event of await this.api.events(callId, after)) this.#take(event);
    } catch {
      // The summary is right without the missed events; the next event finds the hole again and asks again.
    } finally {
      this.#filling.delete(callId);
    }
  }
}
