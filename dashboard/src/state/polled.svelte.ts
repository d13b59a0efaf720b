/** What is asked for again and again while a page shows it. */
import { ApiError } from '../wire/client';

const EVERY_MS = 750;

export class Polled<T> {
  #value = $state.raw<T | null>(null);
  #trouble = $state.raw<ApiError | null>(null);

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly every = EVERY_MS,
  ) {}

  /** The last answer, null before the first. */
  get value(): T | null {
    return this.#value;
  }

  /** Why the last question had none. */
  get trouble(): ApiError | null {
    return this.#trouble;
  }

  /** Asks from now on, one question at a time and none while nobody looks, until the returned end is called. */
  start(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const turn = async () => {
      if (!document.hidden) await this.#once();
      if (!ended) timer = setTimeout(() => void turn(), this.every);
    };
    void turn();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  async #once(): Promise<void> {
    try {
      this.#value = await this.ask();
      this.#trouble = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#trouble = error;
    }
  }
}
