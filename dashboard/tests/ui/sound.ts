/** The sound, as far as the player knows it: no test of ours plays any. Stands in for wavesurfer.js and its regions. */
import { vi } from 'vitest';

type Told = (value?: unknown) => void;

export class Sound {
  readonly #told: Record<string, Told[]> = {};
  at = 0;
  playing = false;
  rate = 1;

  constructor(readonly options: Record<string, unknown>) {}

  on(name: string, told: Told) {
    (this.#told[name] ??= []).push(told);
  }
  once(name: string, told: Told) {
    this.on(name, told);
  }
  tell(name: string, value?: unknown) {
    this.#told[name]?.forEach((told) => told(value));
  }
  setTime(seconds: number) {
    this.at = seconds;
    this.tell('timeupdate', seconds);
  }
  play() {
    this.playing = true;
    this.tell('play');
    return Promise.resolve();
  }
  playPause() {
    if (!this.playing) return this.play();
    this.playing = false;
    this.tell('pause');
    return Promise.resolve();
  }
  setPlaybackRate(rate: number) {
    this.rate = rate;
  }
  setOptions() {}
  destroy() {}
}

let newest: Sound | null = null;

/** The sound of the player that is on the page, ready to be played. */
export function ready(): Sound {
  if (newest === null) throw new Error('the player made no sound');
  newest.tell('ready');
  return newest;
}

export interface Region {
  id?: string;
  start: number;
  channelIdx: number;
}

export const regions = { clearRegions: vi.fn(), addRegion: vi.fn<(region: Region) => void>(), on: vi.fn() };

/** In place of wavesurfer.js. */
export default { create: (options: Record<string, unknown>) => (newest = new Sound(options)) };
