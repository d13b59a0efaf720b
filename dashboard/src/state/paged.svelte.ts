/** A list that the service hands out page by page: what came, whether more is being asked for, what went wrong. */
import { ApiError } from '../wire/client';

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

export class Paged<T> {
  #items = $state.raw<readonly T[]>([]);
  #next = $state<string | null>(null);
  #busy = $state(true);
  #trouble = $state.raw<ApiError | null>(null);
  /** Counts what was asked: an answer that comes after a newer question is of another filter. */
  #asked = 0;

  /** `ask` gets a page that begins at the cursor, or the first one. */
  constructor(private readonly ask: (cursor: string | undefined) => Promise<Page<T>>) {}

  get items(): readonly T[] {
    return this.#items;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get trouble(): ApiError | null {
    return this.#trouble;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** The first page, in place of what is held. True where it came. */
  load(): Promise<boolean> {
    return this.#run(undefined);
  }

  /** The next page, behind what is held. */
  async more(): Promise<void> {
    if (this.#next !== null && !this.#busy) await this.#run(this.#next);
  }

  /** Does what changes the list, then loads it anew. True where both went well. */
  async after(work: () => Promise<unknown>): Promise<boolean> {
    this.#trouble = null;
    try {
      await work();
    } catch (error) {
      this.#failed(error);
      return false;
    }
    return this.load();
  }

  /** Puts a newer value in an item's place. */
  change(is: (item: T) => boolean, item: T): void {
    this.#items = this.#items.map((held) => (is(held) ? item : held));
  }

  async #run(cursor: string | undefined): Promise<boolean> {
    const mine = ++this.#asked;
    this.#busy = true;
    this.#trouble = null;
    try {
      const page = await this.ask(cursor);
      if (mine !== this.#asked) return false;
      this.#items = cursor === undefined ? page.items : [...this.#items, ...page.items];
      this.#next = page.next;
      return true;
    } catch (error) {
      if (mine === this.#asked) this.#failed(error);
      return false;
    } finally {
      if (mine === this.#asked) this.#busy = false;
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.#trouble = error;
  }
}

/** A list that comes whole. */
export const whole = <T>(ask: () => Promise<readonly T[]>) =>
  new Paged<T>(async () => ({ items: await ask(), next: null }));
