import { loggedIn, refusal, service } from './page';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Keys from '../../src/features/admin/Keys.svelte';
import { en } from '../../src/i18n/en';
import { defaultsOf, newKeyOf, NO_KEY } from '../../src/ui/key';
import { key } from '../given';

const ADD = 'POST /api/v1/keys';
const LIST = 'GET /api/v1/keys';
const SECRET = 'cw_k1_secret';

const fill = (label: string, value: unknown) => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const choose = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));
const made = async (source = 'pbx') => {
  await fill('Source', source);
  await fireEvent.submit(screen.getByRole('form', { name: 'New key' }));
};

beforeEach(async () => {
  vi.spyOn(Intl, 'supportedValuesOf').mockReturnValue(['Asia/Shanghai']); // hundreds take long to draw
  service.clear();
  await loggedIn(['keys'], 'integrator');
  service.answers(LIST, { keys: [] });
  service.answers(ADD, { ...key('k1'), key: SECRET });
});

describe('a key as it is written', () => {
  it('says nothing of its source that nobody has said', () => {
    expect(newKeyOf({ ...NO_KEY, source: ' pbx ' })).toEqual({
      source: 'pbx',
      rights: ['stream', 'events'],
      first_track: null,
      language: null,
      jurisdiction: null,
      timezone: '',
      clock: null,
      max_calls: null,
    });
  });

  it('reads metrics and nothing else, or calls with or without what comes of them', () => {
    expect(newKeyOf({ ...NO_KEY, metrics: true }).rights).toEqual(['metrics']);
    expect(newKeyOf({ ...NO_KEY, events: false }).rights).toEqual(['stream']);
  });

  it('is told with what holds for its calls', () => {
    const told = { language: 'zh', jurisdiction: 'UK', timezone: 'Asia/Urumqi', clock: 'samples' } as const;
    expect(defaultsOf(key('k', told), en.keys)).toBe('Chinese · United Kingdom · Asia/Urumqi · its samples');
    expect(defaultsOf(key('k'), en.keys)).toBe('');
  });
});

describe('the list', () => {
  it('says that it is loading, and that there is none', async () => {
    const answer = service.answersLater(LIST);
    render(Keys);
    expect(screen.getByText('Loading…')).toBeTruthy();
    answer({ keys: [] });
    await screen.findByText('No gateway key yet.');
  });

  it('does not say that there is none where it did not come', async () => {
    service.answers(LIST, refusal(503, 'storage_failed'));
    render(Keys);
    expect((await screen.findByRole('alert')).textContent).toContain('cannot reach its data');
    expect(screen.queryByText('No gateway key yet.')).toBeNull();
  });

  it('tells rights, quota and end of each key; the ended cannot be revoked again', async () => {
    const ended = key('k2', { revoked_at: '2026-03-11T09:00:00+08:00', max_calls: 8, max_share: 0.25 });
    service.answers(LIST, { keys: [key('k1', { rights: ['stream', 'events'] }), ended] });
    render(Keys);
    await screen.findByText('k1');
    const [, first, second] = screen.getAllByRole('row').map((row) => row.textContent);
    expect(first).toMatch(/send calls · read events back.*as the service is set.*no limit.*Active.*Revoke/s);
    expect(second).toMatch(/8 · 25% of recognition.*Revoked/s);
    expect(screen.getAllByRole('button', { name: 'Revoke' })).toHaveLength(1);
  });
});

describe('a new key', () => {
  it('is made of what is written, shown once and listed', async () => {
    service.answers(LIST, { keys: [] }, { keys: [key('k1')] });
    render(Keys);
    await choose('Language', 'en');
    await fill('Most calls at once', 8);
    await made(' pbx ');
    await screen.findByText(SECRET);
    expect(service.asked(ADD)[0]?.body).toMatchObject({
      source: 'pbx',
      language: 'en',
      first_track: null,
      max_calls: 8,
    });
    await screen.findByText('k1');
    await expect.poll(() => screen.getByLabelText<HTMLInputElement>('Source').value).toBe('');
    expect(document.querySelector('pre')?.textContent).toContain(`Bearer ${SECRET}`);
  });

  it('is made once, however often it is asked for', async () => {
    const answer = service.answersLater(ADD);
    render(Keys);
    await made();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'New key' }).disabled).toBe(true);
    answer({ ...key('k1'), key: SECRET });
    await screen.findByText(SECRET);
  });

  it('is shown though the list cannot be loaded anew: it is never shown again', async () => {
    service.answers(LIST, { keys: [] }, refusal(503, 'storage_failed'));
    render(Keys);
    await made();
    await screen.findByText(SECRET);
    expect((await screen.findByRole('alert')).textContent).toContain('cannot reach its data');
  });

  it('of a source that is known otherwise is refused with what to do, and keeps what was written', async () => {
    service.answers(ADD, refusal(409, 'already_exists'));
    render(Keys);
    await made('pbx');
    expect((await screen.findByRole('alert')).textContent).toContain('“pbx” is known otherwise');
    expect(screen.getByLabelText<HTMLInputElement>('Source').value).toBe('pbx');
  });

  it('in no time zone is told with the zone that was asked for', async () => {
    const fault = { error: { code: 'invalid', message: 'no zone', field: 'timezone' } };
    service.answers(ADD, new Response(JSON.stringify(fault), { status: 422 }));
    render(Keys);
    await fill('Debtors’ time zone', 'Mars');
    await made();
    expect((await screen.findByRole('alert')).textContent).toContain('“Mars” is no time zone');
  });

  it('is copied, or selected where the browser keeps the clipboard', async () => {
    const writeText = vi.fn<(said: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    render(Keys);
    await made();
    await screen.findByText(SECRET);
    await press('Copy');
    await screen.findByText('Copied');
    expect(writeText).toHaveBeenCalledExactlyOnceWith(SECRET);
    vi.stubGlobal('navigator', {});
    await press('Copied');
    await expect.poll(() => getSelection()?.toString()).toBe(SECRET);
  });
});

describe('revoking', () => {
  const ROUTE = 'DELETE /api/v1/keys/k1';
  beforeEach(() => {
    service.answers(LIST, { keys: [key('k1')] });
    service.answers(ROUTE, undefined);
  });

  it.each([true, false])('is asked about first: %s', async (sure) => {
    const confirm = vi.fn(() => sure);
    vi.stubGlobal('confirm', confirm);
    render(Keys);
    await screen.findByText('k1');
    await press('Revoke');
    expect(confirm).toHaveBeenCalledExactlyOnceWith(en.keys.revokeAsk('pbx'));
    await expect.poll(() => service.asked(ROUTE)).toHaveLength(sure ? 1 : 0);
  });
});
