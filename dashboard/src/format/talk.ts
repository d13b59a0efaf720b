/** Geometry of how the parties talk: figures in steps in, SVG path data out. */
import { loudness, x, type Frame } from './chart';
import type { Conversation, PartyTalk } from '../wire/types';

/** A strip of a chart, in its units from the top. */
export interface Lane {
  readonly top: number;
  readonly height: number;
}

/** Characters a minute that reach the top of a chart, where nobody is faster. */
const FAST = 300;

type Step = PartyTalk['steps'][number];
type Steps = Pick<Conversation, 'step' | 'duration'>;

const round = (n: number) => Math.round(n * 10) / 10;
const endOf = (place: number, { step, duration }: Steps) => Math.min((place + 1) * step, duration);

/** A line through the middles of the steps, broken where one has no share; shares lie in [0, 1], and 1 on top. */
export function curve(shares: readonly (number | null)[], steps: Steps, frame: Frame, lane: Lane): string {
  let path = '';
  let joined = false;
  shares.forEach((share, place) => {
    if (share !== null) {
      const middle = (place * steps.step + endOf(place, steps)) / 2;
      const at = `${round(x(middle, frame))} ${round(lane.top + (1 - share) * lane.height)}`;
      path += joined ? `L${at}` : `M${at}h0`;
    }
    joined = share !== null;
  });
  return path;
}

/** What part of each step somebody fills, as blocks that stand on what `below` fills of it. */
export function blocks(
  seconds: readonly number[],
  below: readonly number[],
  steps: Steps,
  frame: Frame,
  lane: Lane,
): string {
  const shape = (filled: number, place: number) => {
    const [from, to] = [place * steps.step, endOf(place, steps)];
    const y = (sum: number) => round(lane.top + lane.height * (1 - Math.min(1, sum / Math.max(to - from, 0.001))));
    const foot = below[place] ?? 0;
    const sides = [x(from, frame), x(to, frame)].map(round);
    return filled > 0 ? `M${sides[0]} ${y(foot)}H${sides[1]}V${y(foot + filled)}H${sides[0]}Z` : '';
  };
  return seconds.map(shape).join('');
}

/** The loudness of each step as a share of a meter. */
export const loudnesses = (steps: readonly Step[]) =>
  steps.map(({ level_dbfs }) => (level_dbfs === null ? null : loudness(level_dbfs)));

/** How fast each step is, as a share of the fastest one of all parties. */
export function rates(steps: readonly Step[], parties: readonly PartyTalk[]): (number | null)[] {
  const fastest = parties.flatMap((party) => party.steps).reduce((most, { rate }) => Math.max(most, rate ?? 0), FAST);
  return steps.map(({ rate }) => (rate === null ? null : rate / fastest));
}
