/** One ticking "now" for every running clock on the page, so that they all step together. */
const STEP_MS = 500;

class Clock {
  #now = $state(Date.now());

  get now(): number {
    return this.#now;
  }

  start(): () => void {
    const timer = setInterval(() => (this.#now = Date.now()), STEP_MS);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
