import { drawWith, loggedIn, service, Watched } from './page';
import { giveSizes } from './sizes';
import { ready } from './sound';
import { screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Replay from '../../src/features/replay/Replay.svelte';
import { call, record, utterance } from '../given';

vi.mock('wavesurfer.js', () => import('./sound'));
vi.mock('wavesurfer.js/plugins/regions', () => import('./regions'));

const TURNS = 6500;
const FRAMES = 100;
const DURATION = TURNS * 2.5;

const RECORD = 'GET /api/v1/calls/long';
const PEAKS = `${RECORD}/peaks`;
const LONG = record({
  summary: call('long', { state: 'ended', duration: DURATION }),
  utterances: Array.from({ length: TURNS }, (_, index) => utterance(`agent-${index}`, index * 2.5)),
});

let watched: Watched;

beforeEach(async () => {
  giveSizes();
  service.clear();
  await loggedIn(['watch']);
  watched = new Watched();
});
afterEach(() => watched.leave());

/** The page is drawn, as far as the service has answered. */
async function show() {
  drawWith(watched.live, Replay, { id: 'long', at: null });
  await watched.pass(0);
  await watched.pass(0);
}

describe('the replay of a call of 6,500 turns', () => {
  it('asks for the words alone, shows them, and asks for the sound only then', async () => {
    const answer = service.answersLater(RECORD);
    await show();
    expect(service.asked(RECORD)).toHaveLength(1);
    expect(service.asked(PEAKS)).toEqual([]);
    expect(service.asked(`${RECORD}/conversation`)).toEqual([]);
    answer(LONG);
    expect((await screen.findAllByRole('listitem')).length).toBeGreaterThan(5);
    await watched.pass(0);
    expect(service.asked(PEAKS)).toHaveLength(1);
    expect(service.asked(`${RECORD}/conversation`)).toHaveLength(1);
    expect(document.querySelectorAll('*').length).toBeLessThan(1000);
  });

  it('changes as little on the page from frame to frame as a short call does', async () => {
    service.answers(RECORD, LONG);
    service.answers(PEAKS, { duration: DURATION, roles: ['agent', 'customer'], peaks: [[0], [0]] });
    await show();
    await screen.findAllByRole('listitem');
    const sound = ready();
    let changes = 0;
    const observer = new MutationObserver((more) => (changes += more.length));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    for (let frame = 0; frame < FRAMES; frame++) {
      sound.setTime(5 + frame / 50);
      await tick();
    }
    changes += observer.takeRecords().length;
    expect(screen.getAllByRole('listitem', { current: true })).toHaveLength(1);
    expect(changes).toBeGreaterThan(0);
    expect(changes).toBeLessThan(FRAMES);
  });
});
