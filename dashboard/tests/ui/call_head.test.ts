import { render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { beforeEach, expect, it } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import CallHead from '../../src/ui/CallHead.svelte';
import type { CallSummary } from '../../src/wire/types';
import { call, party } from '../given';

const children = createRawSnippet(() => ({ render: () => '<a href="/calls/a/replay">Replay</a>' }));

function show(change: Partial<CallSummary> = {}) {
  const given = { band: 'critical' as const, reached: 65, now: new Date('2026-03-10T02:00:00Z'), children };
  render(CallHead, { summary: call('a', change), ...given });
  const head = screen.getByRole('banner');
  return { head, said: head.textContent.replace(/\s+/g, ' ') };
}

beforeEach(() => text.choose('en'));

it('a live call is told with its risk, how both feel and how much each has talked', () => {
  const parties = [party('agent', { sentiment: -0.5, talked: 30 }), party('customer', { talked: 10 })];
  const { head, said } = show({ risk: 64, parties, alerts: { critical: 1, low: 0 } });
  expect(said).toMatch(/A1 C1 Live 1:05.*Risk 64 Agent −0\.50 · 75% Customer – · 25%/);
  expect(said).toMatch(/Critical 1/);
  expect(said).not.toMatch(/Low|Ending/);
  expect(head.classList).toContain('critical');
});

it('nobody has talked of half a call before the first word', () => {
  expect(show({ parties: [party('agent'), party('customer')] }).said).toMatch(/Agent – · 0% Customer – · 0%/);
});

it('an ended call is quiet, and says how it ended only where that was not as it should', () => {
  const { head, said } = show({ state: 'ended', ending: 'dropped' });
  expect(said).toMatch(/Call ended.*Ending Connection dropped/);
  expect(head.classList).toContain('calm');
});

it('the hour is that of the debtor, or why it is not known', () => {
  expect(show().said).toMatch(/Debtor’s local time .*09:00–09:01 \(Asia\/Shanghai\)/);
  document.body.replaceChildren();
  const unknown = { ...call('a').call, timezone: '' };
  expect(show({ call: unknown, troubles: ['zone_unknown'] }).said).toMatch(/local time Debtor’s time zone unknown/);
});

it('what the gateway told of it is text', () => {
  const told = { ...call('a').call, metadata: { campaign: '<b>三月</b>' } };
  const { head, said } = show({ call: told });
  expect(said).toContain('campaign <b>三月</b>');
  expect(head.querySelector('dd b')).toBeNull();
});
