import { fireEvent, render, screen } from '@testing-library/svelte';
import { createRawSnippet, tick } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import Player from '../../src/ui/Player.svelte';
import { alert } from '../given';
import { ready, regions } from './sound';

vi.mock('wavesurfer.js', () => import('./sound'));
vi.mock('wavesurfer.js/plugins/regions', () => import('./regions'));

const below = createRawSnippet(() => ({ render: () => '<p></p>' }));
const alerts = [
  alert('late', { start: 60, end: 64 }),
  alert('early', { start: 20, end: 22 }),
  alert('out', { start: 40, state: 'dismissed' }),
  alert('duty', { start: 0, end: 30, kind: 'duty_missing' }),
];

function show(props: object = {}) {
  const ontime = vi.fn();
  const onalert = vi.fn();
  const peaks = { duration: 100, roles: ['agent' as const, 'customer' as const], peaks: [[0], [0]] };
  const common = { url: '/recording', shade: 'light', peaks, alerts, gaps: [], start: 0, plays: false };
  render(Player, { ...common, ontime, onalert, below, ...props });
  return { made: ready(), ontime, onalert };
}
const key = (name: string, more: object = {}) => fireEvent.keyDown(document.body, { key: name, ...more });

beforeEach(() => {
  text.choose('en');
  vi.clearAllMocks();
});

describe('the player', () => {
  it('begins where it is asked to, and plays only if it was asked to', () => {
    expect(show({ start: 12 }).made).toMatchObject({ at: 12, playing: false });
    expect(show({ start: 12, plays: true }).made).toMatchObject({ at: 12, playing: true });
  });

  it('plays and pauses by the space bar', async () => {
    const { made } = show();
    await key(' ');
    expect(made.playing).toBe(true);
    expect(screen.getByRole('button', { name: 'Pause' })).toBeTruthy();
    await key(' ');
    expect(made.playing).toBe(false);
  });

  it('jumps five seconds and stays within the recording', async () => {
    const { made, ontime } = show({ start: 97 });
    await key('ArrowRight');
    expect(made.at).toBe(100);
    await key('ArrowLeft');
    expect(made.at).toBe(95);
    expect(ontime).toHaveBeenLastCalledWith(95);
    expect(made.playing).toBe(false);
  });

  it('jumps from alert to alert in their order, past dismissed ones', async () => {
    const { made } = show({ start: 1 });
    await key('ArrowRight', { shiftKey: true });
    expect(made.at).toBe(20);
    await key('ArrowRight', { shiftKey: true });
    expect(made.at).toBe(60);
    await key('ArrowRight', { shiftKey: true });
    expect(made.at).toBe(60);
    await key('ArrowLeft', { shiftKey: true });
    expect(made.at).toBe(20);
  });

  it('changes the speed in steps, down to half and up to three times', async () => {
    const { made } = show();
    await key(']');
    expect(made.rate).toBe(1.25);
    for (let step = 0; step < 9; step++) await key('[');
    expect(made.rate).toBe(0.5);
    for (let step = 0; step < 9; step++) await key(']');
    expect(made.rate).toBe(3);
  });

  it('leaves keys to a field that is written in, to a button or a box its space, and to the browser its own', async () => {
    const { made } = show({ start: 50 });
    const note = document.body.appendChild(document.createElement('textarea'));
    await fireEvent.keyDown(note, { key: 'ArrowLeft' });
    await fireEvent.keyDown(screen.getByRole('button', { name: 'Next alert' }), { key: ' ' });
    const box = Object.assign(document.body.appendChild(document.createElement('input')), { type: 'checkbox' });
    await fireEvent.keyDown(box, { key: ' ' });
    await key('ArrowLeft', { altKey: true });
    expect(made).toMatchObject({ at: 50, playing: false });
    note.remove();
    box.remove();
  });

  it('marks violations on the speaker’s leg and gaps, but no missed duty and nothing dismissed', async () => {
    const gaps = [
      { type: 'gap' as const, role: 'customer' as const, start: 5, end: 8, reason: 'lost' as const },
      { type: 'gap' as const, role: null, start: 9, end: 12, reason: 'silence' as const },
    ];
    show({ gaps });
    await tick();
    const drawn = regions.addRegion.mock.calls.map(([region]) => [region.id ?? 'gap', region.start, region.channelIdx]);
    expect(drawn).toEqual([
      ['gap', 5, 1],
      ['early', 20, 0],
      ['late', 60, 0],
    ]);
  });

  it('says where the recording cannot be read', async () => {
    show().made.tell('error');
    expect((await screen.findByRole('alert')).textContent).toContain('could not be read');
  });
});
