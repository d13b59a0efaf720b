/** The conversation in time: what was said and what is missing between, and where in it a moment lies. */
import type { Gap, Notice, NoticeCode, Utterance } from '../wire/types';

/** What of a call stands in its conversation. */
export interface Spoken {
  readonly utterances: readonly Utterance[];
  readonly gaps: readonly Gap[];
  readonly notices: readonly Notice[];
}

export type Line =
  | { readonly kind: 'said'; readonly at: number; readonly key: string; readonly said: Utterance }
  | { readonly kind: 'gap'; readonly at: number; readonly key: string; readonly gap: Gap }
  | { readonly kind: 'notice'; readonly at: number; readonly key: string; readonly notice: Notice };

/** Their message names what the integrator has to look for. */
const TOLD_IN_FULL = new Set<NoticeCode>([
  'gateway_irregular',
  'audio_missing',
  'protocol_error',
  'zone_unreadable',
  'zone_unknown',
]);

/** The service's own words on a notice; empty where its name says it all. */
export const particulars = ({ code, message }: Notice) => (TOLD_IN_FULL.has(code) ? message : '');

const WORTH_SHOWING_S = 0.3;

export function linesOf({ utterances, gaps, notices }: Spoken): readonly Line[] {
  const said = utterances.map((u): Line => ({ kind: 'said', at: u.start, key: u.id, said: u }));
  const missing = gaps
    .filter((gap) => gap.reason !== 'silence' && gap.end - gap.start >= WORTH_SHOWING_S)
    .map((gap): Line => ({ kind: 'gap', at: gap.start, key: `gap ${gap.role ?? ''} ${gap.start}`, gap }));
  const told = notices.map((n): Line => ({
    kind: 'notice',
    at: n.at,
    key: `notice ${n.code} ${n.at} ${n.message}`,
    notice: n,
  }));
  return [...said, ...missing, ...told].sort((a, b) => a.at - b.at);
}

/** The last item that has begun at `at`, of items in the order of their start; −1 before the first. */
export function begunBy(items: readonly { readonly start: number }[], at: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.start ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
