import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it, vi } from 'vitest';
import NoteItem from '../../src/features/replay/NoteItem.svelte';
import { text } from '../../src/i18n/text.svelte';
import type { Live } from '../../src/state/live.svelte';
import { OpenedCall } from '../../src/state/opened.svelte';
import { session } from '../../src/state/session.svelte';
import type { CallRecord } from '../../src/wire/types';
import { call, note, statement, written } from '../given';

/** The service answers each request with the next of these. */
const service = vi.hoisted(() => ({ asked: [] as Request[], answers: [] as Response[] }));
vi.mock('../../src/state/session.svelte', async () => {
  const { createApi } = await import('../../src/wire/client');
  const fetch = (request: Request) => {
    service.asked.push(request);
    return Promise.resolve(service.answers.shift() ?? new Response(null, { status: 503 }));
  };
  const hooks = { csrf: () => 'token', onExpired: () => undefined };
  return { session: { api: createApi(hooks, { baseUrl: 'http://service', fetch }), may: () => true } };
});

const AT = '2026-03-10T09:00:00Z';
const DRAFT = note({ outcomes: ['hardship'] });
const record = (change: Partial<CallRecord> = {}): CallRecord => ({
  summary: call('a', { state: 'ended' }),
  utterances: [],
  sentiments: [],
  findings: [],
  alerts: [],
  gaps: [],
  notices: [],
  withdrawals: [],
  statements: [statement({ kind: 'hardship' })],
  note: DRAFT,
  edits: [],
  ...change,
});
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

async function show(...answers: Response[]) {
  service.answers = [json(record()), ...answers];
  const opened = new OpenedCall('a', session.api, {} as Live);
  await opened.load();
  service.asked = [];
  const props = () => {
    if (opened.detail === null) throw new Error('the call is not there');
    return { opened, detail: opened.detail, onseek: vi.fn() };
  };
  const { rerender } = render(NoteItem, props());
  await fireEvent.click(screen.getByRole('button', { name: 'Correct as drafted' }));
  return () => rerender(props());
}

beforeEach(() => text.choose('en'));

it('a record is sent with the number of edits seen, and shown as the service answers it', async () => {
  const mine = written('lin', AT, DRAFT);
  const redraw = await show(json({ note: mine.note, edits: [mine] }));
  await expect.poll(() => service.asked).toHaveLength(1);
  const [sent] = service.asked;
  expect(`${sent?.method} ${sent?.url}`).toBe('PUT http://service/api/v1/calls/a/note');
  expect(sent?.headers.get('X-CSRF-Token')).toBe('token');
  expect(await sent?.json()).toEqual({ ...DRAFT, seen: 0 });
  await waitFor(async () => {
    await redraw();
    expect(screen.getByRole('status').textContent).toContain('lin');
  });
});

it('where somebody else was first the call is loaded anew, and it is told', async () => {
  const theirs = written('chen', AT, { outcomes: ['dispute'] });
  const refused = json({ error: { code: 'stale_change', message: '', field: null } }, 409);
  const redraw = await show(refused, json(record({ note: theirs.note, edits: [theirs] })));
  expect((await screen.findByRole('alert')).textContent).toContain('Someone else has just changed this note');
  expect(service.asked.map(({ method }) => method)).toEqual(['PUT', 'GET']);
  await redraw();
  expect(screen.getByRole('status').textContent).toContain('chen');
});
