import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import CallNote from '../../src/ui/CallNote.svelte';
import type { Refusal } from '../../src/ui/decision';
import type { CallNote as Note, NoteWritten, Statement } from '../../src/wire/types';
import { note, statement, written } from '../given';

const AT = '2026-03-10T09:00:00Z';
const NOW = new Date(AT);
const PROMISED = note({
  outcomes: ['promise', 'hardship'],
  conduct: ['greeting', 'thanks'],
  promise_amount: '2000.00',
  promise_currency: 'CNY',
  promise_day: '2026-03-15',
});
const SAID = [
  statement(),
  statement({
    kind: 'hardship',
    start: 12,
    utterance_id: 'customer-1',
    quote: '<b>失业了</b>',
    amount: null,
    day: null,
  }),
  statement({ kind: 'greeting', role: 'agent', start: 1, utterance_id: 'agent-0', quote: '您好' }),
];

interface Given {
  note?: Note;
  statements?: Statement[];
  edits?: NoteWritten[];
  mayWrite?: boolean;
}

function show({ note: shown = PROMISED, statements = SAID, edits = [], mayWrite = true }: Given = {}) {
  const onseek = vi.fn();
  const onwrite = vi.fn<(note: Note, seen: number) => Promise<Refusal | null>>(() => Promise.resolve(null));
  const props = { note: shown, statements, edits, mayWrite, usual: 'CNY' as const, now: NOW, onseek, onwrite };
  const { rerender } = render(CallNote, props);
  return { onseek, onwrite, rerender };
}

const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));
/** Not by its button: happy-dom takes 2000 for no multiple of 0.01 and lets no such form be sent. */
const save = () => fireEvent.submit(screen.getByRole('form'));
const tick = (name: string) => fireEvent.click(screen.getByRole('checkbox', { name }));
const fill = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const shownText = () => screen.getByRole('region', { name: 'Call note' }).textContent;

beforeEach(() => text.choose('en'));

describe('a drafted record', () => {
  it('tells what came of the call, in the words of the trade', () => {
    text.choose('zh');
    show();
    const region = screen.getByRole('region', { name: '催记' });
    expect(region.textContent).toContain('系统草拟');
    const outcomes = within(region).getAllByRole('list')[0];
    expect(outcomes?.textContent).toMatch(/承诺还款\s2,000元 3月15日.*经济困难/s);
  });

  it('shows the sentences it is drawn from in the order of the call, as text, and leads to them', async () => {
    const { onseek } = show();
    const rows = screen.getAllByRole('listitem').filter((row) => row.querySelector('q'));
    expect(rows.map((row) => row.querySelector('q')?.textContent)).toEqual(['<b>失业了</b>', '我十五号先还两千']);
    expect(rows[1]?.textContent).toContain('¥2,000');
    await press('0:30.0');
    expect(onseek).toHaveBeenCalledWith(SAID[0]);
  });

  it('lists what the agent did and what was not heard; what was heard leads there', async () => {
    const { onseek } = show();
    const states = (name: RegExp) => screen.getByText(name).closest('li')?.textContent;
    expect(states(/^Greeting/)).toContain('done');
    expect(states(/Recording notice/)).toContain('not heard');
    await press('Greeting');
    expect(onseek).toHaveBeenCalledWith(SAID[2]);
  });

  it('is taken over as it is', async () => {
    const { onwrite } = show();
    await press('Correct as drafted');
    expect(onwrite).toHaveBeenCalledWith(PROMISED, 0);
  });

  it('of a call in which nothing was heard says so, judges no conduct, and may be written', async () => {
    const { onwrite } = show({ note: note(), statements: [] });
    expect(shownText()).toContain('Nothing was heard');
    expect(screen.queryByText('Recording notice')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Correct as drafted' })).toBeNull();
    await press('Edit');
    await fill('In your own words', ' left a message ');
    await save();
    expect(onwrite).toHaveBeenCalledWith(note({ text: 'left a message' }), 0);
  });

  it('is only to be read by those who may not write', () => {
    show({ mayWrite: false });
    expect(screen.queryByRole('button', { name: 'Edit' })).toBeNull();
  });
});

describe('a note that people wrote', () => {
  const edits = [written('chen', AT), written('lin', AT, { outcomes: ['promise'] })];

  it('names who was last, and how often it was written', () => {
    show({ edits });
    expect(screen.getByRole('status').textContent).toMatch(/saved by lin · .*· 2 times in all/s);
    expect(screen.queryByRole('button', { name: 'Correct as drafted' })).toBeNull();
  });

  it('marks what was heard and left out', () => {
    show({ note: note({ outcomes: ['promise'] }), edits });
    const row = screen.getByText('<b>失业了</b>').closest('li');
    expect(row?.textContent).toContain('not in the note');
  });
});

describe('correcting', () => {
  it('hands on every field, in the order of the kinds, with the number of edits seen', async () => {
    const { onwrite } = show({ edits: [written('chen', AT)] });
    await press('Edit');
    await tick('Asks to be called back');
    await tick('Disputes the debt');
    await tick('Empathy');
    await fill('Amount', '1500.5');
    await fill('To be paid on', '2026-03-20');
    await fill('Day', '2026-03-12');
    await fill('Time (debtor’s local)', '15:00');
    await fill('In your own words', 'asks for a letter');
    await save();
    expect(onwrite).toHaveBeenCalledWith(
      {
        outcomes: ['promise', 'hardship', 'dispute', 'callback'],
        conduct: ['greeting', 'empathy', 'thanks'],
        promise_amount: '1500.50',
        promise_currency: 'CNY',
        promise_day: '2026-03-20',
        callback_day: '2026-03-12',
        callback_hour: '15:00',
        text: 'asks for a letter',
      },
      1,
    );
    await expect.poll(() => screen.queryByRole('textbox')).toBeNull();
    await expect.poll(() => document.activeElement).toBe(screen.getByRole('button', { name: 'Edit' }));
  });

  it('keeps no terms of what nobody promised', async () => {
    const { onwrite } = show();
    await press('Edit');
    await tick('Promises to pay');
    expect(screen.queryByLabelText('Amount')).toBeNull();
    await save();
    expect(onwrite.mock.calls[0]?.[0]).toMatchObject({
      outcomes: ['hardship'],
      promise_amount: null,
      promise_currency: null,
      promise_day: null,
    });
  });

  it('keeps no currency without an amount', async () => {
    const { onwrite } = show();
    await press('Edit');
    await fill('Amount', '');
    await save();
    expect(onwrite.mock.calls[0]?.[0]).toMatchObject({ promise_amount: null, promise_currency: null });
  });

  it('is left without a word', async () => {
    const { onwrite } = show();
    await press('Edit');
    await press('Cancel');
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(onwrite).not.toHaveBeenCalled();
  });

  it('keeps what was written where somebody else was first, shows theirs, and may put it in its place', async () => {
    const { onwrite, rerender } = show();
    const theirs = written('lin', AT, { outcomes: ['dispute'] });
    onwrite.mockImplementationOnce(async () => {
      await rerender({ note: theirs.note, edits: [theirs] });
      return 'stale';
    });
    await press('Edit');
    await fill('In your own words', 'mine');
    await save();
    expect((await screen.findByRole('alert')).textContent).toContain('Save again to put yours in its place');
    expect(screen.getByRole('status').textContent).toContain('lin');
    expect(screen.getByRole<HTMLTextAreaElement>('textbox').value).toBe('mine');
    await save();
    expect(onwrite.mock.calls.map(([, seen]) => seen)).toEqual([0, 1]);
    expect(onwrite.mock.calls[1]?.[0]).toMatchObject({ text: 'mine', outcomes: ['promise', 'hardship'] });
  });

  it('does not count as seen what the feed brings while it is written', async () => {
    const { onwrite, rerender } = show();
    await press('Edit');
    await rerender({ edits: [written('lin', AT)] });
    await save();
    expect(onwrite.mock.calls[0]?.[1]).toBe(0);
  });

  it('says why it was not kept', async () => {
    const { onwrite } = show();
    onwrite.mockResolvedValueOnce('failed');
    await press('Correct as drafted');
    expect((await screen.findByRole('alert')).textContent).toContain('Not saved');
  });
});
