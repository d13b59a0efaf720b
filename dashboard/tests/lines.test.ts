import { describe, expect, it } from 'vitest';
import { thin } from '../src/format/chart';
import { begunBy, linesOf } from '../src/format/lines';
import type { Gap, Notice } from '../src/wire/types';
import { utterance } from './given';

const frame = { width: 10, height: 90, from: 0, to: 100 };
const point = (at: number, score: number) => ({ at, score, trend: score / 2 });

describe('the place of a moment', () => {
  const items = [0, 2, 2, 5, 9].map((start) => ({ start }));

  it('is the last that has begun', () => {
    expect([-1, 0, 1.9, 2, 4, 5, 100].map((at) => begunBy(items, at))).toEqual([-1, 0, 0, 2, 2, 3, 4]);
    expect(begunBy([], 3)).toBe(-1);
  });

  it('is the one that looking at each would find', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ start: Math.floor((index * 7) / 3) }));
    for (let at = -1; at < 1200; at += 0.7)
      expect(begunBy(many, at)).toBe(many.findLastIndex((each) => each.start <= at));
  });

  it('takes as many looks as the number has bits, for it is asked for at each frame', () => {
    let looks = 0;
    const many = new Proxy(
      Array.from({ length: 6500 }, (_, start) => ({ start })),
      {
        get: (held, name) => (
          (looks += typeof name === 'string' && name !== 'length' ? 1 : 0),
          Reflect.get(held, name)
        ),
      },
    );
    expect(begunBy(many, 4000.5)).toBe(4000);
    expect(looks).toBeLessThanOrEqual(13);
  });
});

describe('the conversation in time', () => {
  const gap: Gap = { type: 'gap', role: null, start: 3, end: 5, reason: 'disconnected' };
  const notice: Notice = { type: 'notice', code: 'recognition_failing', at: 4, message: '', missing: null };

  it('has what is missing, and what was told, in its place', () => {
    const lines = linesOf({ utterances: [utterance('a', 1), utterance('b', 6)], gaps: [gap], notices: [notice] });
    expect(lines.map((line) => line.kind)).toEqual(['said', 'gap', 'notice', 'said']);
    expect(new Set(lines.map((line) => line.key)).size).toBe(4);
  });

  it('leaves out silence and what is too short to matter', () => {
    const gaps: Gap[] = [
      { ...gap, reason: 'silence' },
      { ...gap, end: 3.1 },
    ];
    expect(linesOf({ utterances: [], gaps, notices: [] })).toEqual([]);
  });
});

describe('a curve with more points than pixels', () => {
  const many = Array.from({ length: 6500 }, (_, index) => point((index * 100) / 6500, Math.sin(index)));

  it('keeps the extremes and the last of each column', () => {
    const kept = thin(many, frame);
    expect(kept.length).toBeLessThanOrEqual(3 * (frame.width + 1));
    for (let column = 0; column < frame.width; column++) {
      const all = many.filter((each) => Math.floor(each.at / 10) === column).map((each) => each.score);
      const left = kept.filter((each) => Math.floor(each.at / 10) === column).map((each) => each.score);
      expect([Math.min(...left), Math.max(...left), left.at(-1)]).toEqual([
        Math.min(...all),
        Math.max(...all),
        all.at(-1),
      ]);
    }
  });

  it('keeps its order, and its last point', () => {
    const kept = thin(many, frame);
    expect(kept.map((each) => each.at)).toEqual(kept.map((each) => each.at).toSorted((a, b) => a - b));
    expect(kept.at(-1)).toBe(many.at(-1));
  });

  it('is left as it is where there are few', () => {
    const few = [point(1, 0), point(1.1, 0.5), point(1.2, 0)];
    expect(thin(few, frame)).toBe(few);
  });
});
