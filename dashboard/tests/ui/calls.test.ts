import { loggedIn, refusal, service } from './page';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import Calls from '../../src/features/calls/Calls.svelte';
import { EVERYTHING, queryOf } from '../../src/features/calls/search';
import type { CallSummary } from '../../src/wire/types';
import { call } from '../given';

const ROUTE = 'GET /api/v1/calls';
const page = (calls: CallSummary[], next: string | null = null) => ({ calls, next });
const asked = () => service.asked(ROUTE).map(({ query }) => Object.fromEntries(new URLSearchParams(query)));
const type = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const rows = () => screen.getAllByRole('row').slice(1);

beforeEach(async () => {
  service.clear();
  await loggedIn(['watch']);
});

describe('a search', () => {
  it('asks for nothing that was not written', () => {
    const nothing = { state: null, flagged: null, agent: null, text: null, since: null, until: null };
    expect(queryOf({ ...EVERYTHING, agent: '  ' })).toEqual(nothing);
    expect(queryOf({ ...EVERYTHING, which: 'ended', flagged: true, text: ' 老赖 ' })).toEqual({
      ...nothing,
      state: 'ended',
      flagged: true,
      text: '老赖',
    });
  });

  it('takes both days whole, each from its midnight here', () => {
    const { since, until } = queryOf({ ...EVERYTHING, since: '2026-03-10', until: '2026-03-31' });
    expect(since).toBe(new Date(2026, 2, 10).toISOString());
    expect(until).toBe(new Date(2026, 3, 1).toISOString());
  });
});

describe('the calls', () => {
  it('are told with what stands on them, and lead to the live page or the replay', async () => {
    const parties = [{ role: 'agent' as const, sentiment: -0.4, points: [], talked: 9, last_text: '', last_end: 9 }];
    const ended = call('b', { state: 'ended', duration: 127, ending: 'dropped', alerts: { high: 2 }, parties });
    const nameless = call('a');
    nameless.call.agent = '';
    service.answers(ROUTE, page([nameless, ended]));
    render(Calls);
    await screen.findByText('2:07');
    const [live, over] = rows();
    expect(live?.textContent).toMatch(/aC1.*Live/s);
    expect(over?.textContent).toMatch(/A1.*2:07.*High 2.*−0.40 \/ –.*Connection dropped/s);
    const links = screen.getAllByRole('link').map((link) => link.getAttribute('href'));
    expect(links).toEqual(['/calls/a', '/calls/b/replay']);
  });

  it('are looked for at once by a choice, and by what is typed when it is sent', async () => {
    service.answers(ROUTE, page([]));
    render(Calls);
    await screen.findByText('No call matches.');
    await type('Agent', ' A1 ');
    expect(asked()).toEqual([{ limit: '50' }]);
    await fireEvent.submit(screen.getByRole('search'));
    await fireEvent.click(screen.getByLabelText('Flagged only'));
    await fireEvent.change(screen.getByLabelText('State'), { target: { value: 'live' } });
    await expect
      .poll(asked)
      .toEqual([
        { limit: '50' },
        { limit: '50', agent: 'A1' },
        { limit: '50', agent: 'A1', flagged: 'true' },
        { limit: '50', agent: 'A1', flagged: 'true', state: 'live' },
      ]);
  });

  it('have further pages of the same search, whatever was typed since', async () => {
    service.answers(ROUTE, page([call('a')], 'next'), page([call('b')]));
    render(Calls);
    await screen.findByRole('button', { name: 'Load more' });
    await type('Agent', 'somebody else');
    await fireEvent.click(screen.getByRole('button', { name: 'Load more' }));
    await expect.poll(() => rows().length).toBe(2);
    expect(asked()[1]).toEqual({ limit: '50', cursor: 'next' });
    expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull();
  });

  it('are not said to be none where the service does not tell', async () => {
    service.answers(ROUTE, refusal(503, 'storage_failed'), page([call('a')]));
    render(Calls);
    expect((await screen.findByRole('alert')).textContent).toContain('cannot reach its data');
    expect(screen.queryByText('No call matches.')).toBeNull();
    await fireEvent.submit(screen.getByRole('search'));
    await expect.poll(() => rows()[0]?.textContent).toContain('A1');
    expect(screen.queryByRole('alert')).toBeNull();
  });
});
