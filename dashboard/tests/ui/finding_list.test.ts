import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import FindingList from '../../src/ui/FindingList.svelte';
import NoticeList from '../../src/ui/NoticeList.svelte';
import { finding, withdrawn } from '../given';

beforeEach(() => text.choose('en'));

describe('findings without an alert', () => {
  it('tell severity, title, words and time, and lead there', async () => {
    const onseek = vi.fn();
    const found = finding({ severity: 'critical', start: 65.4, quote: '<i>你</i>' });
    render(FindingList, { findings: [found], withdrawals: [], onseek });
    const row = screen.getByRole('listitem');
    expect(row.textContent).toContain('Critical');
    expect(row.textContent).toContain('Insult');
    expect(row.textContent).toContain('<i>你</i>');
    await fireEvent.click(screen.getByRole('button', { name: '1:05.4' }));
    expect(onseek).toHaveBeenCalledWith(found);
  });

  it('tell which of them was withdrawn, and why', () => {
    const findings = [finding(), finding({ start: 5, end: 6 })];
    render(FindingList, { findings, withdrawals: [withdrawn(null)], onseek: vi.fn() });
    const [first, second] = screen.getAllByRole('listitem');
    expect(first?.textContent).toContain('Withdrawn: the customer said it');
    expect(second?.textContent).not.toContain('Withdrawn');
  });

  it('say that there is none', () => {
    render(FindingList, { findings: [], withdrawals: [], onseek: vi.fn() });
    expect(screen.getByText('No other findings.')).toBeTruthy();
    expect(screen.queryByRole('list')).toBeNull();
  });

  it('are shown fifty at a time', async () => {
    const findings = Array.from({ length: 120 }, (_, index) => finding({ start: index }));
    render(FindingList, { findings, withdrawals: [], onseek: vi.fn() });
    expect(screen.getAllByRole('listitem')).toHaveLength(50);
    await fireEvent.click(screen.getByRole('button', { name: 'Show more (70 left)' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Show more (20 left)' }));
    expect(screen.getAllByRole('listitem')).toHaveLength(120);
    expect(screen.queryByRole('button', { name: /Show more/ })).toBeNull();
  });
});

describe('notices', () => {
  it('are told with what the integrator has to look for, and lead to their time', async () => {
    const onseek = vi.fn();
    const notices = [
      { type: 'notice', code: 'protocol_error', at: 12, message: 'field seq is missing', missing: null },
      { type: 'notice', code: 'recognition_failing', at: 30, message: 'Traceback', missing: null },
    ] as const;
    render(NoticeList, { notices, onseek });
    const rows = screen.getAllByRole('listitem').map((row) => row.textContent);
    expect(rows[0]).toContain('field seq is missing');
    expect(rows[1]).not.toContain('Traceback');
    await fireEvent.click(screen.getByRole('button', { name: '0:30' }));
    expect(onseek).toHaveBeenCalledWith(30);
  });
});
