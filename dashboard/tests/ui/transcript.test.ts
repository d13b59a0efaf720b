import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import Transcript from '../../src/ui/Transcript.svelte';
import type { Alert, Gap, Notice, Sentiment, Utterance } from '../../src/wire/types';
import { alert, utterance } from '../given';
import { giveSizes } from './sizes';

interface Given {
  utterances?: Utterance[];
  alerts?: Alert[];
  gaps?: Gap[];
  notices?: Notice[];
  sentiments?: Sentiment[];
}

function show({ utterances = [], alerts = [], gaps = [], notices = [], sentiments = [] }: Given, more: object = {}) {
  const scroller = document.body.appendChild(document.createElement('div'));
  const detail = { utterances, alerts, gaps, notices, sentiments };
  render(Transcript, { target: scroller, props: { detail, scroller, ...more } }, { baseElement: scroller });
}

beforeEach(() => {
  text.choose('en');
  giveSizes();
});

const said = (id: string, start: number, change: Partial<Utterance> = {}) => ({ ...utterance(id, start), ...change });

describe('the conversation', () => {
  it('shows words as text, marked where a rule broke', async () => {
    const onalert = vi.fn();
    const broken = alert('x', { quote: '老赖', severity: 'critical', utterance_id: 'agent-0' });
    show({ utterances: [said('agent-0', 1, { text: '你这个老赖<b>!' })], alerts: [broken] }, { onalert });
    const mark = await screen.findByRole('button', { name: '老赖' });
    expect(mark.closest('p')?.textContent).toContain('你这个老赖<b>!');
    expect(document.querySelector('b')).toBeNull();
    await fireEvent.click(mark);
    expect(onalert).toHaveBeenCalledWith(broken);
  });

  it('marks nothing of a dismissed alert', async () => {
    const dismissed = alert('x', { state: 'dismissed', quote: '老赖', utterance_id: 'agent-0' });
    show({ utterances: [said('agent-0', 1, { text: '你这个老赖' })], alerts: [dismissed] });
    await screen.findByText('你这个老赖');
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('tells doubt and mood beside the words, and what is missing or out of order between them', async () => {
    const felt = {
      utterance_id: 'agent-0',
      role: 'agent',
      at: 2,
      score: -0.8,
      label: 'negative',
      emotion: 'anger',
      trend: -0.5,
    } as const;
    show({
      utterances: [said('agent-0', 1, { confidence: 0.2 }), said('agent-1', 9)],
      gaps: [{ type: 'gap', role: null, start: 3, end: 5, reason: 'disconnected' }],
      notices: [{ type: 'notice', code: 'protocol_error', at: 6, message: 'seq went back', missing: null }],
      sentiments: [felt],
    });
    const rows = (await screen.findAllByRole('listitem')).map((row) => row.textContent);
    expect(rows).toHaveLength(4);
    expect(rows[0]).toContain('low recognition confidence');
    expect(rows[0]).toContain('angry');
    expect(rows[1]).toContain('Disconnected, audio missing');
    expect(rows[2]).toContain('seq went back');
  });

  it('puts on the page no more than the rows in view, each with its place among all', async () => {
    show({ utterances: Array.from({ length: 500 }, (_, index) => said(`agent-${index}`, index * 2)) });
    await waitFor(() => expect(screen.getAllByRole('listitem').length).toBeGreaterThan(5));
    const rows = screen.getAllByRole('listitem');
    expect(rows.length).toBeLessThan(60);
    expect(rows[0]?.getAttribute('aria-setsize')).toBe('500');
    expect(rows[0]?.getAttribute('aria-posinset')).toBe('1');
  });

  it('leads into the sound, and shows what is heard now', async () => {
    const onseek = vi.fn();
    show({ utterances: [said('agent-0', 1), said('agent-1', 65)] }, { onseek, now: 'agent-1' });
    await fireEvent.click(await screen.findByRole('button', { name: '1:05' }));
    expect(onseek).toHaveBeenCalledWith(65);
    const current = screen.getAllByRole('listitem').filter((row) => row.getAttribute('aria-current') === 'true');
    expect(current.map((row) => row.getAttribute('aria-posinset'))).toEqual(['2']);
  });
});
