import { describe, expect, it } from 'vitest';
import { reached, silence } from '../src/format/progress';
import { countsOf, newestOf, sought } from '../src/state/overview';
import type { Alert, CallSummary } from '../src/wire/types';
import { alert, call, levels, party } from './given';

const byId = (...calls: CallSummary[]) => Object.fromEntries(calls.map((each) => [each.call.id, each]));
const alerts = (...held: Alert[]) => Object.fromEntries(held.map((each) => [each.id, each]));

describe('how far a call has run', () => {
  const live = call('a', { parties: [party('agent', { last_end: 12 }), party('customer', { last_end: 9 })] });
  const heard = { levels: levels('a', 20), now: 1_000 };

  it('is what was said last, until its sound is heard', () => expect(reached(live, undefined, 9_999)).toBe(12));

  it('runs on from the newest levels, and stands where the sound has stopped', () => {
    expect(reached(live, heard, 1_000)).toBe(20);
    expect(reached(live, heard, 2_500)).toBe(21.5);
    expect(reached(live, heard, 90_000)).toBe(23);
    expect(silence(live, heard, 90_000)).toBe(89_000);
  });

  it('never lies before what was said', () => {
    expect(reached(live, { levels: levels('a', 5), now: 1_000 }, 1_000)).toBe(12);
  });

  it('is its duration once it has ended, and nobody waits for its sound', () => {
    const ended = call('a', { state: 'ended', duration: 15 });
    expect([reached(ended, heard, 90_000), silence(ended, heard, 90_000)]).toEqual([15, 0]);
  });
});

describe('the wall at a glance', () => {
  it('counts live calls only, and alerts that nobody has looked at', () => {
    const calls = byId(
      call('a', { alerts: { high: 1 }, gaps: 2 }),
      call('b', { troubles: ['detector_failed'] }),
      call('c', { alerts: { high: 0 } }),
      call('d', { state: 'ended', alerts: { critical: 1 }, gaps: 1 }),
    );
    const held = alerts(
      alert('1', { severity: 'critical' }),
      alert('2'),
      alert('3', { severity: 'critical', state: 'acknowledged' }),
    );
    expect(countsOf(calls, held)).toEqual({ live: 3, flagged: 1, troubled: 2, open: 2, critical: 1 });
  });

  it('knows the newest alert of each call that was not dismissed', () => {
    const at = (minute: number) => ({ raised_at: `2026-03-10T09:0${minute}:00Z` });
    const newest = newestOf(
      alerts(
        alert('1', { ...at(1), call_id: 'a' }),
        alert('2', { ...at(3), call_id: 'a' }),
        alert('3', { ...at(2), call_id: 'a' }),
        alert('4', { ...at(4), call_id: 'a', state: 'dismissed' }),
        alert('5', { ...at(1), call_id: 'b', state: 'dismissed' }),
      ),
    );
    expect(Object.entries(newest).map(([id, { id: alertId }]) => [id, alertId])).toEqual([['a', '2']]);
  });

  it('finds calls by agent, customer or id, as they stand', () => {
    const calls = byId(call('pbx-7', { alerts: { low: 1 } }), call('b'));
    const found = (words: string, flagged = false) =>
      sought(['b', 'gone', 'pbx-7'], calls, words, flagged).map((each) => each.call.id);
    expect(found('')).toEqual(['b', 'pbx-7']);
    expect(found(' PBX ')).toEqual(['pbx-7']);
    expect(found('c1')).toEqual(['b', 'pbx-7']);
    expect(found('', true)).toEqual(['pbx-7']);
    expect(found('nobody')).toEqual([]);
  });
});
