/** A page on the screen: real components, stores and client; only the network is doubled. */
import { Line, refusal, service } from './network';
import { render } from '@testing-library/svelte';
import { tick, type Component } from 'svelte';
import { vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import { Live } from '../../src/state/live.svelte';
import { session } from '../../src/state/session.svelte';
import type { Alert, CallSummary, LiveMessage, Right, UserRole } from '../../src/wire/types';
import { snapshot } from '../given';
import WithLive from './WithLive.svelte';

export { refusal, service };

// The page that is no browser does not know that the option which is chosen is `:checked`.
const find = (root: Element, selector: string): Element | null => Element.prototype.querySelector.call(root, selector);
HTMLSelectElement.prototype.querySelector = function (this: HTMLSelectElement, selector: string) {
  return selector === ':checked' ? (this.options[this.selectedIndex] ?? null) : find(this, selector);
};

/** Somebody is logged in, with these rights; the page speaks English. */
export async function loggedIn(rights: readonly Right[], role: UserRole = 'compliance', name = 'lin'): Promise<void> {
  service.answers('GET /api/v1/session', { user: { name, role, rights }, csrf: 'token' });
  await session.check();
  text.choose('en');
}

/** As long as messages wait to be drawn. */
const DRAWN_MS = 250;

/** The live picture of a page, and the line that it comes over. Timers are fake until the page is left. */
export class Watched {
  readonly live = new Live(session.api, () => session.check());
  readonly #end: () => void;

  constructor() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    this.#end = this.live.start();
  }

  get line(): Line {
    if (Line.newest === null) throw new Error('nobody has connected');
    return Line.newest;
  }

  /** The line opens with this picture. */
  async begin(calls: CallSummary[] = [], alerts: Alert[] = []): Promise<void> {
    this.line.open();
    await this.tell(snapshot(calls, alerts));
  }

  /** The messages come, and are drawn. */
  async tell(...messages: LiveMessage[]): Promise<void> {
    for (const message of messages) this.line.tell(message);
    await this.pass(DRAWN_MS);
  }

  /** The line breaks. */
  async cut(): Promise<void> {
    this.line.cut();
    await tick();
  }

  async pass(milliseconds: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(milliseconds);
    await tick();
  }

  leave(): void {
    this.#end();
    vi.useRealTimers();
  }
}

/** Draws a component below that live picture. */
export function drawWith<Props extends Record<string, unknown>>(live: Live, part: Component<Props>, props: Props) {
  return render(WithLive, { live, part: part as Component<Record<string, unknown>>, given: props });
}
