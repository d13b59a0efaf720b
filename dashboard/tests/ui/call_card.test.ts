import { render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import CallCard from '../../src/ui/CallCard.svelte';
import type { CallSummary, Role } from '../../src/wire/types';
import { alert, call, levels, party } from '../given';

const NOW = 1_000_000;
const PARTIES = [
  party('agent', { last_text: '您好', last_end: 8, sentiment: 0.25 }),
  party('customer', { last_text: '' }),
];

/** The card `silent` milliseconds after it was last heard. */
function show(change: Partial<CallSummary> = {}, silent = 0, speaking: Role[] = [], more: object = {}) {
  const lastLevels = { levels: levels('a', 20, speaking), now: NOW - silent };
  const given = { band: 'high' as const, lastLevels, newest: undefined, now: NOW, cut: false, place: '/calls/a' };
  render(CallCard, { summary: call('a', { parties: PARTIES, ...change }), ...given, ...more });
  return screen.getByRole('article');
}
const textOf = (card: HTMLElement) => card.textContent.replace(/\s+/g, ' ');
const speakers = (card: HTMLElement) => [...card.querySelectorAll('li.speaking')].map((row) => row.classList[0]);

beforeEach(() => text.choose('en'));

describe('a card', () => {
  it('names the call and leads to it, by its id where no agent is known', () => {
    const nameless = call('a');
    nameless.call.agent = nameless.call.customer = '';
    const card = show({ call: nameless.call, risk: 33 });
    const link = screen.getByRole('link', { name: 'Agent a, customer –, risk 33' });
    expect(link.getAttribute('href')).toBe('/calls/a');
    expect(card.classList).toContain('high');
  });

  it('shows what was said last as text, how both feel, and who has not spoken', () => {
    const card = show({ parties: [party('agent', { last_text: '<b>您好</b>', sentiment: 0.25 }), party('customer')] });
    expect(textOf(card)).toMatch(/Agent \+0\.25 Customer –/);
    expect(textOf(card)).toMatch(/Agent: <b>您好<\/b>.*Customer: Nothing said yet/);
    expect(card.querySelector('.words b')).toBeNull();
  });

  it('counts its alerts by severity and names the newest', () => {
    const newest = alert('x', { title: { zh: '', en: 'Threat' } });
    expect(textOf(show({ alerts: { high: 2, low: 0 } }, 0, [], { newest }))).toMatch(/High 2 Threat/);
    expect(screen.queryByText('No alerts so far')).toBeNull();
  });

  it('says that there is none, and tells what is out of order', () => {
    const card = show({ gaps: 2, troubles: ['detector_failed'] });
    expect(textOf(card)).toMatch(/No alerts so far.*2 gaps.*A detector failed/);
  });
});

describe('its sound', () => {
  it('shows who speaks', () => {
    const card = show({}, 0, ['customer']);
    expect(speakers(card)).toEqual(['customer']);
    expect(textOf(card)).toMatch(/Customer is speaking: /);
  });

  it('is missed once it has stopped: nobody speaks, and the clock stands', () => {
    const card = show({}, 7_400, ['customer']);
    expect(speakers(card)).toEqual([]);
    expect(textOf(card)).toMatch(/0:23.*no audio for 7 s/);
  });

  it('is not missed while the line to the service is cut, which tells nothing of the call', () => {
    const card = show({}, 60_000, ['customer'], { cut: true });
    expect(textOf(card)).not.toContain('no audio');
    expect(speakers(card)).toEqual([]);
  });

  it('has come to its end with the call, whose risk is no matter of the moment any more', () => {
    const card = show({ state: 'ended', duration: 65 }, 60_000, ['agent']);
    expect(textOf(card)).toMatch(/1:05.*Ended/);
    expect(textOf(card)).not.toContain('no audio');
    expect([speakers(card), card.classList.contains('high')]).toEqual([[], false]);
  });

  it('is not missed before any was heard', () => {
    expect(textOf(show({}, 0, [], { lastLevels: undefined }))).toMatch(/0:08/);
  });
});
