/** What a list of alerts holds: the pages that were fetched, and what the live picture knows beyond them. Pure. */
import type { Alert, AlertState, Severity } from '../wire/types';

/** An empty one lets all pass. */
export interface AlertFilter {
  readonly states: readonly AlertState[];
  readonly severities: readonly Severity[];
}

export function fits({ state, severity }: Alert, { states, severities }: AlertFilter): boolean {
  const passes = <T>(chosen: readonly T[], value: T) => chosen.length === 0 || chosen.includes(value);
  return passes(states, state) && passes(severities, severity);
}

export interface Listed {
  /** Newest first, each as it was told last. */
  readonly all: readonly Alert[];
  /** Those of them that were fetched or are on the screen already. */
  readonly known: readonly Alert[];
}

/**
 * `kept`: ids on the screen; an alert that was decided stays where it was until the filter changes. What the live
 * picture holds is newer than what was fetched.
 */
export function listed(
  fetched: readonly Alert[],
  live: Iterable<Alert>,
  kept: ReadonlySet<string>,
  filter: AlertFilter,
): Listed {
  const held = new Map(fetched.map((alert) => [alert.id, alert]));
  const known = new Set([...held.keys(), ...kept]);
  for (const alert of live) if (known.has(alert.id) || fits(alert, filter)) held.set(alert.id, alert);
  const all = [...held.values()].sort((a, b) => b.raised_at.localeCompare(a.raised_at));
  return { all, known: all.filter((alert) => known.has(alert.id)) };
}
