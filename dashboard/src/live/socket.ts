/** Keeps one live feed open: connects, resumes, backs off, notices a dead line. Owns its timers and listeners. */
import type { LiveMessage, LiveRequest } from '../wire/types';

export type Phase =
  { name: 'connecting'; attempt: number } | { name: 'open' } | { name: 'waiting'; attempt: number; retryAt: number };

export interface FeedOptions {
  url: string;
  /** The last seq held of each call, asked at every (re)connection. */
  seqs(): Record<string, number>;
  onMessage(message: LiveMessage): void;
  onPhase(phase: Phase): void;
  /** Asked before each retry; false gives up (the session is over). */
  mayRetry(): Promise<boolean>;
  createSocket?: (url: string) => WebSocket;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/**
 * Milliseconds to wait before try number `attempt` (from 0): doubling, and spread over the upper half, so that a
 * room of dashboards does not knock on a restarted service in the same instant. `random` lies in [0, 1).
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full / 2 + (full / 2) * random);
}

/** The service says how it does at least every 15 s; this long without a word is a line that died silently. */
const SILENCE_MS = 40_000;

export class LiveFeed {
  #socket: WebSocket | null = null;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  #listenFrom = 0;
  readonly #scope = new AbortController();

  constructor(private readonly options: FeedOptions) {}

  start(): void {
    const signal = this.#scope.signal;
    window.addEventListener('online', () => this.retryNow(), { signal });
    this.#watchTimer = setInterval(() => this.#watch(), SILENCE_MS / 4);
    this.#connect();
  }

  /** Skips the rest of the wait, for a person who pressed the button or a network that came back. */
  retryNow(): void {
    if (this.#socket !== null || this.#scope.signal.aborted) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  close(): void {
    this.#scope.abort();
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watchTimer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect(): void {
    this.options.onPhase({ name: 'connecting', attempt: this.#attempt });
    const create = this.options.createSocket ?? ((url: string) => new WebSocket(url));
    const socket = create(this.options.url);
    this.#socket = socket;
    const signal = this.#scope.signal;
    socket.addEventListener('open', () => this.#opened(socket), { signal });
    socket.addEventListener('message', (event: MessageEvent<string>) => this.#receive(socket, event.data), { signal });
    socket.addEventListener('close', () => this.#lost(socket), { signal });
  }

  #opened(socket: WebSocket): void {
    this.#listenFrom = Date.now();
    const resume: LiveRequest = { type: 'resume', seqs: this.options.seqs() };
    socket.send(JSON.stringify(resume));
  }

  #receive(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#listenFrom = Date.now();
    const message = JSON.parse(text) as LiveMessage;
    if (message.type === 'snapshot') {
      // Only a snapshot proves the line works: a server that accepts and drops us must still meet a growing wait.
      this.#attempt = 0;
      this.options.onPhase({ name: 'open' });
    }
    this.options.onMessage(message);
  }

  #watch(): void {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.#listenFrom > SILENCE_MS) {
      socket.close(4000, 'silent');
      this.#lost(socket);
    }
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    const wait = backoff(this.#attempt, Math.random());
    this.#attempt += 1;
    this.options.onPhase({ name: 'waiting', attempt: this.#attempt, retryAt: Date.now() + wait });
    this.#retryTimer = setTimeout(() => void this.#retry(), wait);
  }

  async #retry(): Promise<void> {
    const may = await this.options.mayRetry();
    if (may && this.#socket === null && !this.#scope.signal.aborted) this.#connect();
  }
}
