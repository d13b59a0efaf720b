import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import AlertCard from '../../src/ui/AlertCard.svelte';
import type { Decision, Refusal } from '../../src/ui/decision';
import type { Alert } from '../../src/wire/types';
import { alert, call } from '../given';

const LAWS = { 'CN-CIV': { zh: '《民法典》', en: 'PRC Civil Code' } };

function show(change: Partial<Alert> = {}, props: object = {}, refusal: Refusal | null = null) {
  const ondecide = vi.fn<(state: Decision, note: string) => Promise<Refusal | null>>(() => Promise.resolve(refusal));
  const onopen = vi.fn();
  const given = { alert: alert('x', change), laws: LAWS, mayDecide: true, now: new Date(), place: '/p', replay: '/r' };
  render(AlertCard, { ...given, onopen, ondecide, ...props });
  return { ondecide, onopen, card: screen.getByRole('article') };
}

const press = (card: HTMLElement, key: string) => fireEvent.keyDown(card, { key });
const button = (name: string) => screen.queryByRole('button', { name });

beforeEach(() => text.choose('en'));

describe('an alert', () => {
  it('tells its evidence, as text and nothing else', () => {
    const { card } = show({ quote: '<b>老赖</b>', why: { zh: '', en: '<i>why</i>' }, cites: ['CN-CIV#1024'] });
    expect(card.textContent).toContain('<b>老赖</b>');
    expect(card.textContent).toContain('<i>why</i>');
    expect(card.querySelector('b, i')).toBeNull();
    expect(card.textContent).toContain('PRC Civil Code § 1024');
  });

  it('leads to its place in the recording, or seeks there where it is at hand', async () => {
    show({ start: 12.3 });
    expect(screen.getByTitle('Replay here').getAttribute('href')).toBe('/r');
    cleanup();
    const onseek = vi.fn();
    show({ kind: 'duty_missing', start: 0, end: 30 }, { onseek });
    await fireEvent.click(screen.getByTitle('Replay here'));
    expect(onseek).toHaveBeenCalledWith(30); // a duty counts as missed at the end of its window
  });

  it('says where no rule was broken: a duty missed, a mood that turned', () => {
    for (const [kind, tag] of [
      ['duty_missing', 'Duty missed'],
      ['mood', 'Mood'],
    ] as const) {
      show({ kind });
      expect(screen.getByText(tag)).toBeDefined();
      cleanup();
    }
    expect(show({ kind: 'violation' }).card.querySelector('.tag')).toBeNull();
  });

  it('names the call where it is listed among others', () => {
    show({}, { listed: true, call: call('a').call });
    expect(screen.getByRole('link', { name: 'A1' }).getAttribute('href')).toBe('/p');
  });
});

describe('deciding', () => {
  it('acknowledges at once, by the button or by A', async () => {
    const { ondecide, card } = show();
    await fireEvent.click(screen.getByRole('button', { name: 'Acknowledge' }));
    await press(card, 'a');
    expect(ondecide.mock.calls).toEqual([
      ['acknowledged', ''],
      ['acknowledged', ''],
    ]);
  });

  it('asks for the reason, hands it on trimmed and closes', async () => {
    const { ondecide, card } = show();
    await press(card, 'c');
    await fireEvent.input(screen.getByRole('textbox'), { target: { value: ' said he was police ' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Submit' }));
    expect(ondecide).toHaveBeenCalledWith('confirmed', 'said he was police');
    await expect.poll(() => screen.queryByRole('textbox')).toBeNull();
    expect(document.activeElement).toBe(card);
  });

  it('is left by Escape without a word', async () => {
    const { ondecide, card } = show();
    await press(card, 'd');
    await press(screen.getByRole('textbox'), 'Escape');
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(ondecide).not.toHaveBeenCalled();
  });

  it('keeps the reason and says why where it was refused', async () => {
    const { card } = show({}, {}, 'stale');
    await press(card, 'd');
    await fireEvent.input(screen.getByRole('textbox'), { target: { value: 'wrong' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Submit' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Someone else');
    expect(screen.getByRole<HTMLTextAreaElement>('textbox').value).toBe('wrong');
  });

  it('is not for those who may only watch: they acknowledge', async () => {
    const { card } = show({}, { mayDecide: false });
    expect(button('Acknowledge')).not.toBeNull();
    expect(button('Confirm')).toBeNull();
    await press(card, 'c');
    await press(card, 'd');
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  it('can be changed to the other decision, and is not acknowledged any more', async () => {
    const { ondecide, card } = show({
      state: 'confirmed',
      changed_by: 'chen',
      changed_at: '2026-03-10T09:01:00+08:00',
    });
    expect(button('Acknowledge')).toBeNull();
    expect(button('Confirm')).toBeNull();
    expect(button('Change to dismissed')).not.toBeNull();
    await press(card, 'a');
    expect(ondecide).not.toHaveBeenCalled();
  });

  it('is sent once, however long the key is held', async () => {
    const { ondecide, card } = show();
    ondecide.mockReturnValue(new Promise(() => undefined));
    await press(card, 'a');
    await press(card, 'a');
    await fireEvent.keyDown(card, { key: 'a', repeat: true });
    expect(ondecide).toHaveBeenCalledTimes(1);
  });

  it('is not asked for again where it stands so already', async () => {
    const { card } = show({ state: 'dismissed', changed_by: 'chen', changed_at: '2026-03-10T09:01:00+08:00' });
    await press(card, 'd');
    expect(screen.queryByRole('textbox')).toBeNull();
    await press(card, 'c');
    expect(screen.getByRole('textbox')).toBeTruthy();
  });

  it('takes no letter of the reason for a key, nor one with a modifier', async () => {
    const { ondecide, card } = show();
    await fireEvent.keyDown(card, { key: 'a', ctrlKey: true });
    await press(card, 'c');
    await press(screen.getByRole('textbox'), 'a');
    expect(ondecide).not.toHaveBeenCalled();
  });
});

it('Enter opens the call of a listed alert, and only there', async () => {
  const alone = show();
  await press(alone.card, 'Enter');
  expect(alone.onopen).not.toHaveBeenCalled();
  cleanup();
  const listed = show({}, { listed: true });
  await press(listed.card, 'Enter');
  expect(listed.onopen).toHaveBeenCalledTimes(1);
});
