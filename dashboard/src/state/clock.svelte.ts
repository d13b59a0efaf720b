/** One ticking "now" for every running clock on the page, so that they all step together. */
const STEP_MS = 500;
const MINUTE_MS = 60_000;

class Clock {
  #now = $state(Date.now());
  readonly #minute = $derived(Math.floor(this.#now / MINUTE_MS) * MINUTE_MS);

  get now(): number {
    return this.#now;
  }

  /** The minute that is on, for what need not be drawn anew each half second. */
  get minute(): Date {
    return new Date(this.#minute);
  }

  start(): () => void {
    const timer = setInterval(() => (this.#now = Date.now()), STEP_MS);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
