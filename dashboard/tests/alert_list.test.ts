import { describe, expect, it } from 'vitest';
import { fits, listed } from '../src/state/alert_list';
import type { Alert } from '../src/wire/types';
import { alert } from './given';

const ALL = { states: [], severities: [] };
const OPEN = { states: ['open' as const], severities: [] };
const at = (second: number, change: Partial<Alert> = {}) =>
  alert(`x${second}`, { raised_at: `2026-03-10T09:00:0${second}Z`, ...change });
const ids = (alerts: readonly Alert[]) => alerts.map(({ id }) => id);
const none = new Set<string>();

it('an alert passes a filter that chooses its state and its severity, or nothing', () => {
  const high = alert('x', { severity: 'high', state: 'open' });
  expect(fits(high, ALL)).toBe(true);
  expect(fits(high, { states: ['open', 'confirmed'], severities: ['high'] })).toBe(true);
  expect(fits(high, { states: ['open'], severities: ['critical'] })).toBe(false);
  expect(fits(high, { states: ['confirmed'], severities: ['high'] })).toBe(false);
});

describe('a list of alerts', () => {
  it('has the fetched and the live ones that fit, newest first, each once and as it was told last', () => {
    const { all } = listed([at(3), at(1)], [at(2), at(3, { note: 'live' }), at(4, { state: 'confirmed' })], none, OPEN);
    expect(ids(all)).toEqual(['x3', 'x2', 'x1']);
    expect(all[0]?.note).toBe('live');
  });

  it('knows which were fetched or are on the screen: the others are news', () => {
    const { known } = listed([at(3), at(1)], [at(2), at(4)], new Set(['x2']), OPEN);
    expect(ids(known)).toEqual(['x3', 'x2', 'x1']);
  });

  it('lets what is on the screen stay where it no longer fits', () => {
    const decided = at(2, { state: 'dismissed' });
    expect(ids(listed([at(1)], [decided], new Set(['x2']), OPEN).all)).toEqual(['x2', 'x1']);
    expect(ids(listed([at(1)], [decided], none, OPEN).all)).toEqual(['x1']);
  });
});
