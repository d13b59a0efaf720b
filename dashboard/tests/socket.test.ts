import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveFeed, type Phase } from '../src/live/socket';
import type { LiveMessage } from '../src/wire/types';
import { snapshot } from './given';

/** A line whose other end the test holds. */
class Line extends EventTarget {
  readyState = 1;
  readonly sent: string[] = [];
  closedWith: number | undefined;
  send(text: string): void {
    this.sent.push(text);
  }
  close(code?: number): void {
    this.closedWith = code;
  }
  open(): void {
    this.dispatchEvent(new Event('open'));
  }
  says(message: LiveMessage): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
  breaks(): void {
    this.dispatchEvent(new Event('close'));
  }
}

function given(mayRetry = true) {
  const lines: Line[] = [];
  const phases: Phase[] = [];
  const heard: LiveMessage[] = [];
  const feed = new LiveFeed({
    url: 'ws://here',
    seqs: () => ({ a: 7 }),
    onMessage: (message) => heard.push(message),
    onPhase: (phase) => phases.push(phase),
    mayRetry: () => Promise.resolve(mayRetry),
    createSocket: () => {
      const made = new Line();
      lines.push(made);
      return made as unknown as WebSocket;
    },
  });
  feed.start();
  const newest = () => lines[lines.length - 1] ?? expect.fail('no line was made');
  return { feed, lines, phases, heard, newest };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('WebSocket', { OPEN: 1 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the live feed', () => {
  it('tells the service what it holds as soon as the line is open', () => {
    const { newest } = given();
    newest().open();
    expect(newest().sent).toEqual(['{"type":"resume","seqs":{"a":7}}']);
  });

  it('counts as open only with the first snapshot', () => {
    const { newest, phases } = given();
    newest().open();
    expect(phases.at(-1)?.name).toBe('connecting');
    newest().says(snapshot([]));
    expect(phases.at(-1)?.name).toBe('open');
  });

  it('comes back after a growing wait', async () => {
    const { newest, lines, phases } = given();
    newest().breaks();
    expect(phases.at(-1)).toMatchObject({ name: 'waiting', attempt: 1 });
    await vi.advanceTimersByTimeAsync(500);
    expect(lines).toHaveLength(2);
    newest().breaks();
    expect(phases.at(-1)).toMatchObject({ name: 'waiting', attempt: 2 });
  });

  it('does not come back once the session is over', async () => {
    const { newest, lines } = given(false);
    newest().breaks();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(1);
  });

  it('gives up a line that has gone silent', async () => {
    const { newest, lines, phases } = given();
    newest().open();
    newest().says(snapshot([]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines[0]?.closedWith).toBe(4000);
    expect(phases.some((phase) => phase.name === 'waiting')).toBe(true);
    expect(lines.length).toBeGreaterThan(1);
  });

  it('skips the wait when the network returns', () => {
    const { newest, lines } = given();
    newest().breaks();
    window.dispatchEvent(new Event('online'));
    expect(lines).toHaveLength(2);
  });

  it('ignores what an abandoned line still says', async () => {
    const { lines, heard } = given();
    lines[0]?.breaks();
    await vi.advanceTimersByTimeAsync(500);
    lines[0]?.says(snapshot([]));
    expect(heard).toEqual([]);
  });

  it('leaves no timer behind when closed', () => {
    const { feed, newest } = given();
    newest().breaks();
    feed.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
