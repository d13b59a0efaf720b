import { loggedIn, refusal, service } from './page';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Webhooks from '../../src/features/admin/Webhooks.svelte';
import { text } from '../../src/i18n/text.svelte';
import DeliveryList from '../../src/ui/DeliveryList.svelte';
import { nothing, saidOf } from '../../src/ui/webhook';
import WebhookForm from '../../src/ui/WebhookForm.svelte';
import WebhookList from '../../src/ui/WebhookList.svelte';
import type { Delivery, NewWebhook, Webhook } from '../../src/wire/types';

const TEAM: Webhook = {
  name: 'team',
  origin: 'https://hooks.example.org',
  shape: 'feishu',
  language: 'zh',
  timezone: 'Asia/Shanghai',
  alerts_from: 'high',
  call_started: false,
  call_ended: true,
  digest_hour: 18,
  created_at: '2026-03-02T12:00:00Z',
  failing_since: null,
  stopped_at: null,
  stopped_why: '',
};
const SENT: Delivery = {
  id: 7,
  event_id: 'evt_1',
  type: 'alert',
  call_id: 'call-1',
  made_at: '2026-03-02T12:00:00Z',
  state: 'waiting',
  tries: 3,
  tried_at: '2026-03-02T12:00:09Z',
  due_at: '2026-03-02T12:01:00Z',
  status: 503,
  answer: 'maintenance',
  problem: 'HTTP 503',
};

const fill = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });

beforeEach(() => text.choose('en'));

describe('the form', () => {
  async function submitted(made: boolean) {
    const onadd = vi.fn<(webhook: NewWebhook) => Promise<boolean>>(() => Promise.resolve(made));
    render(WebhookForm, { busy: false, trouble: '', onadd });
    await fill(text.m.webhooks.name, ' team ');
    await fill(text.m.webhooks.url, 'https://hooks.example.org/a ');
    await fireEvent.submit(screen.getByRole('form'));
    return onadd.mock.calls[0]?.[0];
  }

  it('says what was chosen, and is empty once it was taken', async () => {
    expect(await submitted(true)).toEqual({ ...nothing('en'), name: 'team', url: 'https://hooks.example.org/a' });
    await vi.waitFor(() => expect(screen.getByLabelText(text.m.webhooks.name)).toHaveProperty('value', ''));
  });

  it('stays as it was where it was not taken', async () => {
    await submitted(false);
    expect(screen.getByLabelText(text.m.webhooks.name)).toHaveProperty('value', ' team ');
  });

  it('says a secret only where the robot has one', () => {
    const draft = { ...nothing('zh'), secret: ' SEC1 ' };
    expect(saidOf({ ...draft, shape: 'dingtalk' }).secret).toBe('SEC1');
    expect(saidOf({ ...draft, shape: 'slack' }).secret).toBe('');
  });
});

describe('the list', () => {
  const show = (webhook: Webhook) =>
    render(WebhookList, { webhooks: [webhook], busy: false, ontest: vi.fn(), onlog: vi.fn(), onremove: vi.fn() });

  it('tells what a webhook is told of and how it does', () => {
    show(TEAM);
    expect(screen.getByText('Alerts (high and worse) · Calls ended · Daily digest (daily at 18:00)')).toBeTruthy();
    expect(screen.getByText('works')).toBeTruthy();
  });

  it('tells of one that was stopped, and what starts it again', () => {
    show({ ...TEAM, failing_since: '2026-03-01T12:00:00Z', stopped_at: '2026-03-02T12:00:00Z' });
    expect(screen.getByText(/^stopped .*starts it again$/)).toBeTruthy();
  });
});

describe('the log', () => {
  it('tells what came of a delivery, and sends it again', async () => {
    const onresend = vi.fn();
    render(DeliveryList, { deliveries: [SENT], busy: false, onresend });
    expect(screen.getByText('HTTP 503 maintenance')).toBeTruthy();
    await fireEvent.click(screen.getByText(text.m.webhooks.resend));
    expect(onresend).toHaveBeenCalledWith(SENT);
  });
});

describe('the page', () => {
  const LIST = 'GET /api/v1/webhooks';
  const ADD = 'POST /api/v1/webhooks';
  const SECRET = 'whsec_once';

  beforeEach(async () => {
    service.clear();
    await loggedIn(['webhooks'], 'admin');
    service.answers(LIST, { webhooks: [] });
    service.answers(ADD, { ...TEAM, secret: SECRET });
    render(Webhooks);
    await screen.findByText(text.m.webhooks.empty);
  });
  async function made() {
    await fill(text.m.webhooks.name, 'team');
    await fill(text.m.webhooks.url, 'https://hooks.example.org/a');
    await fireEvent.submit(screen.getByRole('form'));
  }

  it('makes a webhook once, and shows its secret', async () => {
    const answer = service.answersLater(ADD);
    await made();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: text.m.webhooks.add }).disabled).toBe(true);
    answer({ ...TEAM, secret: SECRET });
    expect(await screen.findByText(SECRET)).toBeTruthy();
  });

  it('shows no secret where nothing of ours signs', async () => {
    service.answers(ADD, { ...TEAM, secret: '' });
    service.answers(LIST, { webhooks: [TEAM] });
    await made();
    await screen.findByText('works');
    expect(screen.queryByText(text.m.webhooks.once)).toBeNull();
  });

  it('shows the secret though the list cannot be loaded anew: it is never shown again', async () => {
    service.answers(LIST, refusal(503, 'storage_failed'));
    await made();
    expect(await screen.findByText(SECRET)).toBeTruthy();
    await expect.poll(() => screen.getByLabelText<HTMLInputElement>(text.m.webhooks.name).value).toBe('');
  });

  it.each([
    ['The service cannot reach its data right now. Please try again soon.', refusal(503, 'storage_failed')],
    [
      'There is no master key to seal a secret with.',
      refusal(503, 'secret', 'There is no master key to seal a secret with.'),
    ],
    ['“team” is taken.', refusal(409, 'already_exists', '“team” is taken.')],
  ])('tells why one was not made: %s', async (said, refused) => {
    service.answers(ADD, refused);
    await made();
    expect((await screen.findByRole('alert')).textContent).toBe(said);
  });
});
