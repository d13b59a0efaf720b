import { drawWith, loggedIn, refusal, service, Watched } from './page';
import { giveSizes } from './sizes';
import { ready } from './sound';
import { fireEvent, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Replay from '../../src/features/replay/Replay.svelte';
import type { CallRecord } from '../../src/wire/types';
import { alert, call, event, finding, record, statement, utterance } from '../given';

vi.mock('wavesurfer.js', () => import('./sound'));
vi.mock('wavesurfer.js/plugins/regions', () => import('./regions'));

const ROUTE = 'GET /api/v1/calls/a';
const PEAKS = 'GET /api/v1/calls/a/peaks';
const peaks = (duration: number) => ({ duration, roles: ['agent', 'customer'], peaks: [[0], [0]] });
const ENDED = call('a', { state: 'ended', duration: 70 });
const noticed = { type: 'notice', code: 'audio_missing', at: 33, message: 'nothing came for 4 s', missing: 4 } as const;

let watched: Watched;

async function show(change: Partial<CallRecord>, sound: unknown = peaks(70), at: number | null = null) {
  service.answers(ROUTE, record({ summary: ENDED, ...change }));
  service.answers(PEAKS, sound);
  drawWith(watched.live, Replay, { id: 'a', at });
  await watched.pass(0);
  await watched.pass(0);
}
const section = (name: RegExp) => within(screen.getByRole('region', { name }));
const button = (name: string) => screen.queryByRole('button', { name });

beforeEach(async () => {
  giveSizes();
  service.clear();
  await loggedIn(['watch', 'decide']);
  watched = new Watched();
});
afterEach(() => watched.leave());

describe('what a call left behind', () => {
  it('is on the page: findings without an alert, notices, and the call note', async () => {
    const lone = finding({
      rule: 'cn.threat',
      title: { zh: '', en: 'Threat' },
      utterance_id: 'agent-9',
      start: 50,
      end: 52,
    });
    await show({
      alerts: [alert('x', { title: { zh: '', en: 'Insult' } })],
      findings: [finding(), lone],
      notices: [noticed],
      statements: [statement({ kind: 'hardship' })],
    });
    expect(section(/^Findings without an alert 1$/).getByText('Threat')).toBeTruthy();
    expect(section(/^Monitoring notices 1$/).getByText('No audio came for a while')).toBeTruthy();
    expect(section(/^Monitoring notices 1$/).getByText('nothing came for 4 s')).toBeTruthy();
    expect(screen.getByRole('article', { name: 'Insult' })).toBeTruthy();
    expect(screen.getByText('Drafted by the system, not checked yet')).toBeTruthy();
  });

  it('leads into the sound', async () => {
    await show({ findings: [finding({ start: 50, end: 52 })], notices: [noticed], alerts: [] });
    const sound = ready();
    await fireEvent.click(section(/^Findings/).getByRole('button'));
    expect(sound).toMatchObject({ at: 50, playing: true });
    await fireEvent.click(section(/^Monitoring/).getByRole('button'));
    expect(sound.at).toBe(33);
  });

  it('plays from where it was asked for as soon as there is a sound', async () => {
    const answer = service.answersLater(PEAKS);
    service.answers(ROUTE, record({ summary: ENDED, notices: [noticed] }));
    drawWith(watched.live, Replay, { id: 'a', at: null });
    await watched.pass(0);
    await fireEvent.click(section(/^Monitoring/).getByRole('button'));
    answer(peaks(70));
    await watched.pass(0);
    expect(ready()).toMatchObject({ at: 33, playing: true });
  });
});

describe('the sound', () => {
  it('begins where the address says', async () => {
    await show({}, peaks(70), 12.5);
    expect(ready()).toMatchObject({ at: 12.5, playing: false });
  });

  it('marks what is heard now', async () => {
    await show({ utterances: [utterance('agent-1', 1), utterance('agent-2', 10)] });
    await screen.findAllByRole('listitem');
    ready().setTime(10.4);
    await watched.pass(0);
    const current = screen.getAllByRole('listitem').filter((row) => row.getAttribute('aria-current') === 'true');
    expect(current.map((row) => row.getAttribute('aria-posinset'))).toEqual(['2']);
  });

  it.each([
    ['is none where nothing was recorded', refusal(404, 'no_recording')],
    ['is none where the recording is empty', peaks(0)],
  ])('%s', async (_, sound) => {
    await show({}, sound);
    expect(screen.getByText('This call has no recording.')).toBeTruthy();
  });

  it('that cannot be read now is not told as none, and is asked for again', async () => {
    await show({}, refusal(503, 'recording_unreadable'));
    expect(screen.getByRole('alert').textContent).toContain('The recording could not be read.');
    expect(screen.queryByText('This call has no recording.')).toBeNull();
    service.answers(PEAKS, peaks(70));
    await fireEvent.click(button('Try again') as HTMLElement);
    await watched.pass(0);
    expect(screen.getByText(/\/ 1:10\.0$/)).toBeTruthy();
  });
});

describe('a call that goes on', () => {
  const closed = event(
    'a',
    2,
    { type: 'call_closed', ended_at: '2026-03-10T09:02:00+08:00', duration: 70, ending: 'completed', reason: '' },
    { state: 'ended', duration: 70 },
  );

  it('is replayed as far as it is recorded, and brought up to date when somebody asks', async () => {
    await show({ summary: call('a') }, peaks(20), 4);
    expect(screen.getByText('The call is still on; this is what has been recorded.')).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Watch live' }).getAttribute('href')).toBe('/calls/a');
    expect(screen.queryByRole('region', { name: 'Call note' })).toBeNull();
    service.answers(PEAKS, peaks(35));
    await fireEvent.click(button('Update to now') as HTMLElement);
    await watched.pass(0);
    expect(ready()).toMatchObject({ at: 4, playing: false });
    expect(screen.getByText(/\/ 0:35\.0$/)).toBeTruthy();
  });

  it('gets its note as it ends, and the rest of its sound when somebody asks', async () => {
    await watched.begin([call('a')]);
    await show({ summary: call('a') }, peaks(20));
    service.answers(ROUTE, record({ summary: { ...ENDED, seq: 2 }, statements: [statement()] }));
    await watched.tell(closed);
    await watched.pass(0);
    expect(screen.getByText('Drafted by the system, not checked yet')).toBeTruthy();
    expect(screen.queryByText(/still on/)).toBeNull();
    service.answers(PEAKS, peaks(70));
    await fireEvent.click(button('Update to now') as HTMLElement);
    await watched.pass(0);
    expect(screen.getByText(/\/ 1:10\.0$/)).toBeTruthy();
    expect(button('Update to now')).toBeNull();
  });
});
