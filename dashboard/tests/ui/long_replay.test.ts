import { render, screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Replay from '../../src/features/replay/Replay.svelte';
import { text } from '../../src/i18n/text.svelte';
import { session } from '../../src/state/session.svelte';
import { call, note, utterance } from '../given';
import { giveSizes } from './sizes';

const TURNS = 6500;
const FRAMES = 100;
/** The player's clock, as far as the page knows it. */
const sound = vi.hoisted(() => ({ passes: null as ((seconds: number) => void) | null }));
vi.mock('wavesurfer.js', () => ({
  default: {
    create: () => ({
      on: (name: string, told: (seconds: number) => void) => {
        if (name === 'timeupdate') sound.passes = told;
      },
      once: () => undefined,
      setPlaybackRate: () => undefined,
      setOptions: () => undefined,
      destroy: () => undefined,
    }),
  },
}));
vi.mock('wavesurfer.js/plugins/regions', () => ({
  default: { create: () => ({ on: vi.fn(), clearRegions: vi.fn(), addRegion: vi.fn() }) },
}));
vi.mock('../../src/state/live.svelte', () => ({ getLive: () => ({ listen: () => () => undefined }) }));

/** What the page asks the service for, in order, answered by hand. */
function asked() {
  const paths: string[] = [];
  const answers = new Map<string, (data: unknown) => void>();
  vi.spyOn(session.api, 'GET').mockImplementation(((path: string) => {
    paths.push(path);
    return new Promise((answer) => answers.set(path, (data) => answer({ data })));
  }) as never);
  return { paths, answer: (path: string, data: unknown) => answers.get(path)?.(data) };
}

const RECORD = '/api/v1/calls/{call_id}';
const PEAKS = '/api/v1/calls/{call_id}/peaks';
const record = {
  summary: call('long', { state: 'ended', duration: TURNS * 2.5 }),
  utterances: Array.from({ length: TURNS }, (_, index) => utterance(`agent-${index}`, index * 2.5)),
  ...{ sentiments: [], findings: [], alerts: [], gaps: [], notices: [], withdrawals: [], statements: [], edits: [] },
  note: note(),
};

beforeEach(() => {
  text.choose('en');
  giveSizes();
});

describe('the replay of a call of 6,500 turns', () => {
  it('asks for the words alone, shows them, and asks for the sound only then', async () => {
    const { paths, answer } = asked();
    render(Replay, { id: 'long', at: null });
    await tick();
    expect(paths).toEqual([RECORD]);
    answer(RECORD, record);
    await waitFor(() => expect(screen.getAllByRole('listitem').length).toBeGreaterThan(5));
    expect(paths).toEqual([RECORD, PEAKS, `${RECORD}/conversation`]);
    expect(document.querySelectorAll('*').length).toBeLessThan(1000);
  });

  it('changes as little on the page from frame to frame as a short call does', async () => {
    const { paths, answer } = asked();
    render(Replay, { id: 'long', at: null });
    answer(RECORD, record);
    await waitFor(() => expect(paths).toContain(PEAKS));
    answer(PEAKS, { duration: TURNS * 2.5, roles: ['agent', 'customer'], peaks: [[0], [0]] });
    await waitFor(() => expect(sound.passes).not.toBeNull());
    let changes = 0;
    const observer = new MutationObserver((more) => (changes += more.length));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    for (let frame = 0; frame < FRAMES; frame++) {
      sound.passes?.(5 + frame / 50);
      await tick();
    }
    changes += observer.takeRecords().length;
    expect(screen.getAllByRole('listitem', { current: true })).toHaveLength(1);
    expect(changes).toBeGreaterThan(0);
    expect(changes).toBeLessThan(FRAMES);
  });
});
