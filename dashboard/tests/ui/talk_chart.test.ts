import { render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import TalkChart from '../../src/ui/TalkChart.svelte';
import type { Conversation } from '../../src/wire/types';
import { partyTalk } from '../given';

const TALK: Conversation = {
  step: 10,
  duration: 40,
  parties: [
    { ...partyTalk('agent', [240, 250]), share: 0.75, monologue: { start: 1, end: 66 }, interruptions: [3, 8] },
    { ...partyTalk('customer', [200]), share: 0.25, monologue: null, interruptions: [] },
  ],
  talk_over: [1, 0, 0, 0],
  silence: [2, 3, 10, 10],
  dead_air: [{ start: 20, end: 40 }],
};

beforeEach(() => text.choose('en'));

describe('how the parties talk', () => {
  it('is told in figures beside the curves', () => {
    const { container } = render(TalkChart, { talk: TALK, until: 40, at: 20 });
    expect(container.textContent).toContain('75% of the talk · longest turn 1:05 · 2 interruptions');
    expect(container.textContent).toContain('25% of the talk');
    expect(container.textContent).not.toContain('0 interruptions');
    expect(container.textContent).toContain('1 long silence');
    const name = screen.getByRole('img').getAttribute('aria-label');
    expect(name).toBe('Share of the talk: Agent 75% · Customer 25%');
  });

  it('has a block of each party, what both say at once on top, and the dead air', () => {
    const { container } = render(TalkChart, { talk: TALK, until: 40 });
    const shape = (kind: string) => container.querySelector(`.block.${kind}`)?.getAttribute('d');
    expect(shape('over')).toMatch(/^M0 /);
    expect(shape('agent')).not.toBe('');
    expect(container.querySelector('rect.dead')?.getAttribute('x')).toBe('500');
  });

  it('of a call in which nobody spoke is empty', () => {
    const nobody = { ...TALK, parties: [{ ...partyTalk('agent', []), share: null }], talk_over: [], silence: [] };
    const { container } = render(TalkChart, { talk: { ...nobody, duration: 0, dead_air: [] }, until: 0 });
    expect(container.textContent).toContain('– of the talk');
  });
});
