import { describe, expect, it } from 'vitest';
import { blocks, curve, rates } from '../src/format/talk';
import { partyTalk } from './given';

const FRAME = { width: 100, height: 100, from: 0, to: 25 };
const STEPS = { step: 10, duration: 25 };
const LANE = { top: 10, height: 20 };

describe('a curve of steps', () => {
  it('goes through their middles, the last one shorter, with 1 on top', () => {
    expect(curve([0, 1, 0.5], STEPS, FRAME, LANE)).toBe('M20 30h0L60 10L90 20');
  });

  it('is broken where a step has no value, and shows a lone one as a point', () => {
    expect(curve([null, 1, null], STEPS, FRAME, LANE)).toBe('M60 10h0');
    expect(curve([0, null, 0], STEPS, FRAME, LANE)).toBe('M20 30h0M90 30h0');
    expect(curve([], STEPS, FRAME, LANE)).toBe('');
  });
});

describe('the blocks of a step', () => {
  it('are as high as what it is filled with, on what stands below', () => {
    expect(blocks([5, 0, 2.5], [0, 0, 2.5], STEPS, FRAME, LANE)).toBe('M0 30H40V20H0ZM80 20H100V10H80Z');
  });

  it('stay within the lane', () => {
    expect(blocks([10.004], [0], STEPS, FRAME, LANE)).toBe('M0 30H40V10H0Z');
  });
});

describe('rates', () => {
  it('are shares of the fastest step of both, and slow talk does not fill the chart', () => {
    const slow = [partyTalk('agent', [150, null])];
    expect(rates(slow[0]?.steps ?? [], slow)).toEqual([0.5, null]);
    const fast = [...slow, partyTalk('customer', [600])];
    expect(rates(slow[0]?.steps ?? [], fast)).toEqual([0.25, null]);
  });
});
