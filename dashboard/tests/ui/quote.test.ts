import { cleanup, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hasWords, listenFrom } from '../../src/format/evidence';
import { text } from '../../src/i18n/text.svelte';
import AlertCard from '../../src/ui/AlertCard.svelte';
import FindingList from '../../src/ui/FindingList.svelte';
import Quote from '../../src/ui/Quote.svelte';
import type { Alert } from '../../src/wire/types';
import { alert, finding } from '../given';

const SAID = { quote: '老赖', sentence: '你就是个老赖，不要脸。', lead: '我真没钱。', lead_role: 'customer' } as const;

function show(change: Partial<Alert> = {}, props: object = {}) {
  const { container } = render(Quote, { evidence: alert('x', change), ...props });
  return {
    marked: [...container.querySelectorAll('mark')].map((each) => each.textContent),
    said: [...container.querySelectorAll('p')].map((each) => each.textContent.replace(/\s+/g, ' ').trim()),
    container,
  };
}

beforeEach(() => text.choose('zh'));

describe('what was said', () => {
  it('is the sentence with its telling words marked, behind the one before it', () => {
    const { said, marked } = show(SAID);
    expect(said).toEqual(['客户我真没钱。', '坐席你就是个老赖，不要脸。']);
    expect(marked).toEqual(['老赖']);
  });

  it('is the quote alone where no sentence is known', () => {
    const { said, marked } = show({ quote: '老赖' });
    expect(said).toEqual(['坐席老赖']);
    expect(marked).toEqual([]);
  });

  it('is marked whole where the words are longer than what is kept of them', () => {
    expect(show({ quote: '一二三四', sentence: '一二三…' }).marked).toEqual(['一二三…']);
  });

  it('is what asked for a duty that was missed, and is listened to from there', () => {
    const missed = {
      kind: 'duty_missing',
      quote: '',
      lead: '我不想活了。',
      lead_role: 'customer',
      start: 3,
      end: 9,
    } as const;
    expect(show(missed).said).toEqual(['客户我不想活了。']);
    expect(hasWords(alert('x', missed))).toBe(true);
    expect(listenFrom(alert('x', missed))).toBe(3);
    expect(hasWords(alert('x', { ...missed, lead: '' }))).toBe(false);
    expect(listenFrom(alert('x', { ...missed, lead: '' }))).toBe(9);
  });

  it('is text and nothing else', () => {
    const { container } = show({ quote: '<b>老赖</b>', sentence: '<i>就是</i><b>老赖</b>', lead: '<u>没钱</u>' });
    expect(container.querySelector('b, i, u')).toBeNull();
  });

  it('begins near its telling words where there is little room', () => {
    const long = { quote: '老赖', sentence: `${'啊'.repeat(100)}老赖${'呀'.repeat(100)}` };
    expect(show(long, { short: true }).said).toEqual([`坐席…${'啊'.repeat(16)}老赖${'呀'.repeat(100)}`]);
    cleanup();
    expect(show(SAID, { short: true }).said[1]).toBe('坐席你就是个老赖，不要脸。');
  });
});

describe('how sure it is', () => {
  const card = { laws: {}, mayDecide: false, now: new Date(), place: '/p', replay: '/r', onopen: vi.fn() };
  const given = (change: Partial<Alert>) => ({ ...card, alert: alert('x', change), ondecide: vi.fn() });

  it('is told in words on the card, and as a figure to who points at it', () => {
    render(AlertCard, given({ ...SAID, score: 0.97 }));
    expect(screen.getByText('把握很大').getAttribute('title')).toBe('把握 97%');
    expect(screen.getByText('老赖').tagName).toBe('MARK');
  });

  it('is told once where an ear is needed anyway', () => {
    render(AlertCard, given({ score: 0.6, decided_by_transcript: false }));
    expect(screen.queryByText('需人工复核')).toBeNull();
    expect(screen.getByText('需人工核听')).toBeTruthy();
    cleanup();
    render(AlertCard, given({ score: 0.9, decided_by_transcript: false }));
    expect(screen.getByText('把握较大')).toBeTruthy();
  });

  it('stands in the list of findings too', () => {
    render(FindingList, { findings: [finding({ ...SAID, score: 0.6 })], withdrawals: [], onseek: vi.fn() });
    expect(screen.getByText('需人工复核')).toBeTruthy();
    expect(screen.getByRole('button').getAttribute('title')).toContain('把握 60%');
    expect(screen.getByText('老赖').tagName).toBe('MARK');
  });
});
