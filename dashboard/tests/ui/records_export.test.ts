import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, expect, it, vi } from 'vitest';
import Calls from '../../src/features/calls/Calls.svelte';
import { text } from '../../src/i18n/text.svelte';

/** Who looks may do this; no call is there. */
const user = vi.hoisted(() => ({ rights: ['watch'] }));
vi.mock('../../src/state/session.svelte', async () => {
  const { createApi } = await import('../../src/wire/client');
  const fetch = () => Promise.resolve(new Response(JSON.stringify({ calls: [], next: null })));
  const hooks = { csrf: () => 'token', onExpired: () => undefined };
  const may = (right: string) => user.rights.includes(right);
  return { session: { api: createApi(hooks, { baseUrl: 'http://service', fetch }), may } };
});

beforeEach(() => text.choose('zh'));

it('who only watches is offered no export', () => {
  user.rights = ['watch'];
  render(Calls);
  expect(screen.queryByRole('link', { name: '导出通话记录' })).toBeNull();
});

it('an export is of the agent and the days that stand in the form', async () => {
  user.rights = ['watch', 'decide'];
  render(Calls);
  await fireEvent.input(screen.getByLabelText('坐席'), { target: { value: ' lin ' } });
  await fireEvent.input(screen.getByLabelText('起'), { target: { value: '2026-03-02' } });
  const link = screen.getByRole<HTMLAnchorElement>('link', { name: '导出通话记录' });
  const { pathname, searchParams } = new URL(link.href);
  expect(pathname).toBe('/api/v1/records');
  expect(Object.fromEntries(searchParams)).toEqual({
    format: 'csv',
    agent: 'lin',
    since: new Date('2026-03-02T00:00:00').toISOString(),
  });
  expect(link.hasAttribute('download')).toBe(true);
});
