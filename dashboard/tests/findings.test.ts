import { describe, expect, it } from 'vitest';
import { withoutAlert } from '../src/format/findings';
import { alert, finding } from './given';

const raised = alert('x', { start: 10, end: 14, utterance_id: 'agent-3' });
const alone = (change: Parameters<typeof finding>[0]) =>
  withoutAlert([finding({ start: 40, end: 44, utterance_id: 'agent-9', ...change })], [raised]).length === 1;

describe('the findings beside the alerts', () => {
  it('are those that raised none', () => {
    const repeated = finding({ start: 20, end: 22, utterance_id: 'agent-7' });
    expect(withoutAlert([finding({ start: 10, end: 14, utterance_id: 'agent-3' }), repeated], [raised])).toEqual([
      repeated,
    ]);
    expect(withoutAlert([repeated], [])).toEqual([repeated]);
  });

  it('leave out what an alert of the rule covers: its utterance, or a span that overlaps', () => {
    expect(alone({})).toBe(true);
    expect(alone({ utterance_id: 'agent-3' })).toBe(false);
    expect(alone({ start: 13, end: 16 })).toBe(false);
    expect(alone({ start: 14, end: 16 })).toBe(true);
  });

  it('keep what another rule found, or of the other party, in the same words', () => {
    expect(alone({ start: 10, end: 14, utterance_id: 'agent-3', rule: 'cn.threat' })).toBe(true);
    expect(alone({ start: 10, end: 14, role: 'customer' })).toBe(true);
  });

  it('take a missed duty, which is a moment without words, for covered by its own alert', () => {
    const duty = { kind: 'duty_missing', start: 30, end: 30, utterance_id: null } as const;
    expect(withoutAlert([finding(duty)], [alert('d', duty)])).toEqual([]);
  });
});
