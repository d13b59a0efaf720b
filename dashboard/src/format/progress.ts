/** How far a call has run, by what was last heard of it. */
import type { CallSummary, Levels } from '../wire/types';

/** The newest levels of a call and when they came (this machine's milliseconds): the talk clock runs on from there. */
export interface LastLevels {
  readonly levels: Levels;
  readonly now: number;
}

/** Levels come twice a second: later than this, the audio itself has stopped. */
export const QUIET_MS = 3_000;

/** Milliseconds since a live call was last heard; 0 where it was not yet, or needs not be. */
export function silence({ state }: CallSummary, lastLevels: LastLevels | undefined, now: number): number {
  return state === 'ended' || lastLevels === undefined ? 0 : Math.max(0, now - lastLevels.now);
}

/** Seconds of the call so far, `now` being this machine's milliseconds: the clock stands where the audio has stopped. */
export function reached(summary: CallSummary, lastLevels: LastLevels | undefined, now: number): number {
  if (summary.state === 'ended') return summary.duration;
  const said = Math.max(0, ...summary.parties.map((party) => party.last_end));
  if (lastLevels === undefined) return said;
  return Math.max(said, lastLevels.levels.at + Math.min(silence(summary, lastLevels, now), QUIET_MS) / 1000);
}
