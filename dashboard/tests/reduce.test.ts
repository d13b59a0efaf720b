import { describe, expect, it } from 'vitest';
import { adoptAlert, EMPTY, forgetCalls, MOST_ALERTS, reduce, reduceAll } from '../src/state/reduce';
import type { LiveMessage } from '../src/wire/types';
import { alert, call, decided, event, raised, said, snapshot, statement, withdrawn, written } from './given';

const NOW = Date.parse('2026-03-10T00:59:58Z');
const after = (...messages: LiveMessage[]) => reduceAll(EMPTY, messages, NOW);

describe('a snapshot', () => {
  it('replaces whatever was held', () => {
    const state = after(snapshot([call('old')], [alert('x')]), snapshot([call('new', { seq: 4 })]));
    expect(Object.keys(state.calls)).toEqual(['new']);
    expect(state.alerts).toEqual({});
    expect(state.seqs).toEqual({ new: 4 });
  });

  it('ends the stale time that a resync began', () => {
    const resynced = after(snapshot([]), { type: 'resync' });
    expect(resynced.stale).toBe(true);
    expect(reduce(resynced, snapshot([]), NOW).stale).toBe(false);
  });
});

describe('events', () => {
  it('bring the next summary and move the seq on', () => {
    const state = after(snapshot([call('a', { seq: 3 })]), event('a', 4, said('agent-0', 1), { risk: 30 }));
    expect(state.calls['a']?.risk).toBe(30);
    expect(state.seqs).toEqual({ a: 4 });
  });

  it('without a summary leave the one that is held, and move the seq on', () => {
    const held = snapshot([call('a', { seq: 3, risk: 9 })]);
    const state = after(held, { ...event('a', 4, said('agent-0', 1)), summary: null });
    expect(state.calls['a']).toBe(held.calls[0]);
    expect(state.seqs).toEqual({ a: 4 });
  });

  it('tell the metadata at the opening only, and it is kept', () => {
    const opening = { ...call('b').call, metadata: { campaign: '三月' } };
    const state = after(
      snapshot([]),
      event('b', 1, { type: 'call_opened', call: opening }),
      event('b', 2, said('agent-0', 1), { risk: 7 }),
    );
    expect(state.calls['b']).toMatchObject({ risk: 7, call: { id: 'b', metadata: { campaign: '三月' } } });
  });

  it('do not put an earlier summary in the place of a later one', () => {
    const state = after(
      snapshot([call('a', { seq: 3 })]),
      event('a', 6, said('agent-1', 4), { risk: 50 }),
      event('a', 5, said('agent-0', 1), { risk: 8 }),
    );
    expect(state.calls['a']?.risk).toBe(50);
  });

  it('already folded in change nothing', () => {
    const held = after(snapshot([call('a', { seq: 3, risk: 9 })]));
    expect(reduce(held, event('a', 3, said('agent-0', 1), { risk: 0 }), NOW)).toBe(held);
  });

  it('open a call that was not there', () => {
    const opening = call('b').call;
    expect(after(snapshot([]), event('b', 1, { type: 'call_opened', call: opening })).seqs).toEqual({ b: 1 });
  });

  it('about the record of a call move the seq on and leave the picture as it is', () => {
    const held = after(snapshot([call('a', { seq: 3 })], [alert('x')]));
    const told = { ...event('a', 4, { type: 'statement', statement: statement() }), summary: null };
    const noted = { ...event('a', 5, written('lin', '2026-03-10T09:00:00Z')), summary: null };
    const state = reduceAll(held, [told, noted], NOW);
    expect(state).toEqual({ ...held, seqs: { a: 5 } });
    expect(reduce(held, event('gone', 9, written('lin', '2026-03-10T09:00:00Z')), NOW)).toBe(held);
  });

  it('of a call the picture no longer shows do not bring its card back', () => {
    expect(after(snapshot([]), event('gone', 9, said('agent-0', 1))).calls).toEqual({});
  });
});

describe('interim words', () => {
  const interim = (text: string, start = 1): LiveMessage => ({
    type: 'partial',
    call_id: 'a',
    role: 'agent',
    start,
    text,
  });
  const shown = (...messages: LiveMessage[]) =>
    after(snapshot([call('a', { seq: 3 })]), ...messages).interims['a'] ?? {};

  it('are those that came last', () => expect(shown(interim('您'), interim('您好')).agent?.text).toBe('您好'));

  it('go when their final text comes', () =>
    expect(shown(interim('您好'), event('a', 4, said('agent-0', 1)))).toEqual({}));

  it('stay when the text of an earlier utterance comes', () => {
    expect(shown(interim('后来', 2), event('a', 4, said('agent-0', 1))).agent?.text).toBe('后来');
  });

  it('go when nobody spoke after all, and with the call', () => {
    expect(shown(interim('您好'), interim(''))).toEqual({});
    const over = { type: 'call_closed', ended_at: '', duration: 3, ending: 'completed', reason: '' } as const;
    expect(shown(interim('您好'), event('a', 4, over))).toEqual({});
  });

  it('of a call that is not shown are none', () => expect(after(snapshot([]), interim('您好')).interims).toEqual({}));
});

describe('a hole in the events', () => {
  const holed = after(snapshot([call('a', { seq: 3 })]), event('a', 6, said('agent-2', 5), { risk: 50 }));

  it('is marked with the last seq before it', () => expect(holed.holes).toEqual({ a: 3 }));

  it('does not keep the later summary from the wall', () => expect(holed.calls['a']?.risk).toBe(50));

  it('closes when the missed events have come, without going back to their older summaries', () => {
    const missed = [4, 5, 6].map((seq) => event('a', seq, seq === 4 ? raised(alert('x')) : said(`agent-${seq}`, seq)));
    const whole = reduceAll(holed, missed, NOW);
    expect(whole.holes).toEqual({});
    expect(whole.seqs).toEqual({ a: 6 });
    expect(whole.alerts['x']).toBeDefined();
    expect(whole.calls['a']?.seq).toBe(6);
  });
});

describe('alerts', () => {
  it('follow what people decide, also on calls that have ended', () => {
    const state = after(snapshot([], [alert('x')]), event('a', 7, decided('x')));
    expect(state.alerts['x']).toMatchObject({ state: 'dismissed', changed_by: 'chen', note: '误报' });
  });

  it('are dismissed with the finding that they were raised by, unless a person has decided', () => {
    const state = after(snapshot([], [alert('x')]), event('a', 7, withdrawn('x')));
    expect(state.alerts['x']).toMatchObject({ state: 'dismissed', changed_by: 'callwarden' });
    const confirmed = after(snapshot([], [alert('x')]), event('a', 7, decided('x')), event('a', 8, withdrawn('x')));
    expect(confirmed.alerts['x']).toMatchObject({ changed_by: 'chen' });
  });

  it('decided over HTTP are not opened again by the late event that raised them', () => {
    const ahead = adoptAlert(
      after(snapshot([call('a')])),
      alert('x', { state: 'confirmed', changed_at: '2026-03-10T09:02:00+08:00' }),
    );
    expect(reduce(ahead, event('a', 2, raised(alert('x'))), NOW).alerts['x']?.state).toBe('confirmed');
  });

  it('are bounded: decided ones go first, then the oldest', () => {
    const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
    const full = Array.from({ length: MOST_ALERTS }, (_, n) =>
      alert(`x${n}`, { raised_at: at(n), state: n === 7 ? 'dismissed' : 'open' }),
    );
    const state = after(snapshot([call('a')], full), event('a', 2, raised(alert('new', { raised_at: at(9999) }))));
    expect(Object.keys(state.alerts)).toHaveLength(MOST_ALERTS);
    expect(state.alerts['x7']).toBeUndefined();
    expect(state.alerts['x0']).toBeDefined();
    expect(state.alerts['new']).toBeDefined();
  });
});

describe('levels and health', () => {
  const levels: LiveMessage = {
    type: 'levels',
    call_id: 'a',
    at: 12.5,
    dbfs: { agent: -20, customer: -60 },
    speaking: ['agent'],
  };

  it('are kept with the time they came', () => {
    expect(after(snapshot([call('a')]), levels).lastLevels['a']).toEqual({ levels, now: NOW });
  });

  it('of unknown calls are ignored', () => expect(after(snapshot([]), levels).lastLevels).toEqual({}));

  it('change nothing else', () => {
    const held = after(snapshot([call('a')]));
    expect(reduce(held, levels, NOW).calls).toBe(held.calls);
  });
});

it('a message of a newer service is passed over', () => {
  const held = after(snapshot([call('a')]));
  expect(reduce(held, { type: 'weather' } as unknown as LiveMessage, NOW)).toBe(held);
});

it('a forgotten call leaves nothing behind', () => {
  const state = forgetCalls(after(snapshot([call('a'), call('b')])), new Set(['a']));
  expect(Object.keys(state.calls)).toEqual(['b']);
  expect(Object.keys(state.seqs)).toEqual(['b']);
});
