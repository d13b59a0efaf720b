import { describe, expect, it } from 'vitest';
import { arrange, ENDED_STAYS_MS, outlived } from '../src/state/wall.svelte';
import type { CallSummary } from '../src/wire/types';
import { call } from './given';

const calls = (...risks: [string, number, CallSummary['state']?][]) =>
  Object.fromEntries(risks.map(([id, risk, state = 'live']) => [id, call(id, { risk, state })]));

describe('the wall', () => {
  it('puts the riskiest call first', () => {
    expect(arrange([], calls(['a', 0], ['b', 75], ['c', 33]), false)).toEqual(['b', 'c', 'a']);
  });

  it('does not swap cards over a few points of risk', () => {
    expect(arrange(['a', 'b'], calls(['a', 31], ['b', 38]), false)).toEqual(['a', 'b']);
    expect(arrange(['a', 'b'], calls(['a', 31], ['b', 41]), false)).toEqual(['b', 'a']);
  });

  it('moves nobody while it is held, but lets calls come and go', () => {
    expect(arrange(['a', 'gone', 'b'], calls(['a', 0], ['b', 90], ['c', 99]), true)).toEqual(['a', 'b', 'c']);
  });

  it('shows ended calls last, however risky they were', () => {
    expect(arrange(['a', 'b'], calls(['a', 100, 'ended'], ['b', 0]), false)).toEqual(['b', 'a']);
  });

  it('lets an ended card go only after its time', () => {
    const seen = new Map([['a', 1000]]);
    expect([...outlived(seen, 1000 + ENDED_STAYS_MS)]).toEqual([]);
    expect([...outlived(seen, 1001 + ENDED_STAYS_MS)]).toEqual(['a']);
  });
});
