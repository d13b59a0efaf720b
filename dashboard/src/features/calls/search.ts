/** What a person looks for among the calls, as the service is asked for it. Pure. */
import type { CallQuery } from '../../wire/types';

export interface Search {
  readonly which: 'all' | 'live' | 'ended';
  readonly flagged: boolean;
  readonly agent: string;
  readonly text: string;
  /** Days as `2026-03-10`, both included; empty where they are open. */
  readonly since: string;
  readonly until: string;
}

export const EVERYTHING: Search = { which: 'all', flagged: false, agent: '', text: '', since: '', until: '' };

export function queryOf({ which, flagged, agent, text, since, until }: Search): CallQuery {
  return {
    state: which === 'all' ? null : which,
    flagged: flagged ? true : null,
    agent: agent.trim() || null,
    text: text.trim() || null,
    since: midnight(since, 0),
    until: midnight(until, 1), // the service takes calls that began before it
  };
}

/** When the day begins that is so many days after, in this machine's time zone; null for no day. */
function midnight(day: string, after: number): string | null {
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return null;
  at.setDate(at.getDate() + after);
  return at.toISOString();
}
