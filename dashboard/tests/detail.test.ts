import { describe, expect, it } from 'vitest';
import { adoptNote, follow, fromRecord } from '../src/state/detail';
import {
  alert,
  call,
  decided,
  event,
  finding,
  found,
  note,
  raised,
  said,
  statement,
  utterance,
  withdrawn,
  written,
} from './given';

const record = {
  summary: call('a', { seq: 3 }),
  utterances: [utterance('agent-0', 1)],
  sentiments: [],
  findings: [],
  alerts: [],
  gaps: [],
  notices: [],
  withdrawals: [],
  statements: [],
  note: note(),
  edits: [],
};
const opened = fromRecord(record);

describe('an opened call', () => {
  it('takes the next event in', () => {
    const next = follow(opened, event('a', 4, said('agent-1', 5)));
    expect(next.utterances.map((u) => u.id)).toEqual(['agent-0', 'agent-1']);
    expect(next).toMatchObject({ seq: 4, hole: false });
  });

  it('keeps words in the order they were spoken, not in which they came', () => {
    const late = follow(follow(opened, event('a', 4, said('agent-1', 9))), event('a', 5, said('customer-0', 4)));
    expect(late.utterances.map((u) => u.id)).toEqual(['agent-0', 'customer-0', 'agent-1']);
  });

  it('keeps the metadata it opened with, and its summary where an event has none', () => {
    const rich = fromRecord({
      ...record,
      summary: call('a', { seq: 3, call: { ...call('a').call, metadata: { campaign: '三月' } } }),
    });
    expect(follow(rich, event('a', 4, said('agent-1', 5), { risk: 7 })).summary).toMatchObject({
      risk: 7,
      call: { metadata: { campaign: '三月' } },
    });
    expect(follow(rich, { ...event('a', 4, said('agent-1', 5)), summary: null }).summary).toBe(rich.summary);
  });

  it('ignores other calls and what it has', () => {
    expect(follow(opened, event('b', 4, said('agent-1', 5)))).toBe(opened);
    expect(follow(opened, event('a', 3, said('agent-1', 5)))).toBe(opened);
  });

  it('notices a hole, shows what came after it, and is whole once the missed events are in', () => {
    const holed = follow(opened, event('a', 6, raised(alert('x'))));
    expect(holed).toMatchObject({ seq: 3, hole: true });
    expect(holed.alerts).toHaveLength(1);
    const whole = [4, 5, 6].reduce(
      (state, seq) => follow(state, event('a', seq, seq === 6 ? raised(alert('x')) : said(`agent-${seq}`, seq))),
      holed,
    );
    expect(whole).toMatchObject({ seq: 6, hole: false });
    expect(whole.alerts).toHaveLength(1);
    expect(whole.utterances).toHaveLength(3);
  });

  it('takes in when words were said, without a word moved', () => {
    const words = [{ text: '您', start: 1.2, end: 1.4, probability: 0.9 }];
    const timed = follow(opened, event('a', 4, { type: 'words', utterance_id: 'agent-0', words }));
    expect(timed.utterances).toEqual([{ ...utterance('agent-0', 1), words }]);
  });

  it('keeps every finding once, in the order of the call', () => {
    const late = follow(opened, event('a', 4, found(finding({ start: 9, end: 10 }))));
    const held = follow(late, event('a', 5, found(finding({ start: 2, end: 3 }))));
    expect(held.findings.map((each) => each.start)).toEqual([2, 9]);
    expect(follow(held, event('a', 6, found(finding({ start: 9, end: 10 })))).findings).toHaveLength(2);
    expect(fromRecord({ ...record, findings: [finding()] }).findings).toEqual([finding()]);
  });

  it('keeps what was withdrawn, and dismisses its alert unless a person has decided', () => {
    const held = follow(opened, event('a', 4, raised(alert('x'))));
    const next = follow(held, event('a', 5, withdrawn('x')));
    expect(next.withdrawals).toEqual([withdrawn('x')]);
    expect(next.alerts[0]).toMatchObject({
      state: 'dismissed',
      changed_by: 'callwarden',
      note: '客户说的 / the customer said it',
    });
    const confirmed = follow(opened, event('a', 4, raised(alert('x', { state: 'confirmed', changed_by: 'lin' }))));
    expect(follow(confirmed, event('a', 5, withdrawn('x'))).alerts[0]).toMatchObject({
      state: 'confirmed',
      changed_by: 'lin',
    });
  });

  it('follows a decision', () => {
    const held = follow(opened, event('a', 4, raised(alert('x'))));
    expect(follow(held, event('a', 5, decided('x'))).alerts[0]?.state).toBe('dismissed');
  });
});

describe('the record of a call', () => {
  const NINE = '2026-03-10T09:00:00Z';
  const TEN = '2026-03-10T10:00:00Z';

  it('takes each statement once, in the order of the call, and is not drafted anew', () => {
    const late = follow(opened, event('a', 4, { type: 'statement', statement: statement({ start: 30 }) }));
    const early = statement({ kind: 'hardship', start: 12, utterance_id: 'customer-1' });
    const held = follow(late, event('a', 5, { type: 'statement', statement: early }));
    expect(held.statements.map((each) => each.kind)).toEqual(['hardship', 'promise']);
    const again = follow(held, event('a', 6, { type: 'statement', statement: statement({ start: 30 }) }));
    expect(again.statements).toHaveLength(2);
    expect(again.note).toBe(opened.note);
  });

  it('is what was written last, in whichever order it is told', () => {
    const last = follow(opened, event('a', 5, written('chen', TEN, { text: 'later' })));
    const both = follow(last, event('a', 4, written('lin', NINE, { text: 'earlier' })));
    expect(both.edits.map((each) => each.by)).toEqual(['lin', 'chen']);
    expect(both.note.text).toBe('later');
  });

  it('adopts an answer, counts its event no second time, and does not fall back behind the feed', () => {
    const mine = written('lin', NINE, { text: 'mine' });
    const adopted = adoptNote(opened, { note: mine.note, edits: [mine] });
    expect(adopted.note.text).toBe('mine');
    expect(follow(adopted, event('a', 4, mine)).edits).toEqual([mine]);
    const ahead = follow(adopted, event('a', 4, written('chen', TEN, { text: 'theirs' })));
    expect(adoptNote(ahead, { note: note(), edits: [mine] })).toBe(ahead);
  });
});
