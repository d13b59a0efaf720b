/** The wall at a glance: how much of what there is, and which cards a person looks for. Pure. */
import type { Alert, CallSummary } from '../wire/types';
import type { LiveState } from './reduce';

type Calls = LiveState['calls'];
type Alerts = LiveState['alerts'];

/** An alert that was not dismissed stands on it. */
const flagged = (call: CallSummary) => Object.values(call.alerts).some((count) => count > 0);

export interface Counts {
  /** Of the calls that are live: all, those with alerts, those whose monitoring is out of order. */
  readonly live: number;
  readonly flagged: number;
  readonly troubled: number;
  /** Of the alerts that nobody has looked at: all, and the critical ones. */
  readonly open: number;
  readonly critical: number;
}

export function countsOf(calls: Calls, alerts: Alerts): Counts {
  const live = Object.values(calls).filter((call) => call.state === 'live');
  const open = Object.values(alerts).filter((alert) => alert.state === 'open');
  return {
    live: live.length,
    flagged: live.filter(flagged).length,
    troubled: live.filter((call) => call.gaps > 0 || call.troubles.length > 0).length,
    open: open.length,
    critical: open.filter((alert) => alert.severity === 'critical').length,
  };
}

/** The newest alert of each call, those that were dismissed left out. */
export function newestOf(alerts: Alerts): Readonly<Record<string, Alert>> {
  const newest: Record<string, Alert> = {};
  for (const alert of Object.values(alerts)) {
    const other = newest[alert.call_id];
    if (alert.state !== 'dismissed' && (other === undefined || other.raised_at < alert.raised_at))
      newest[alert.call_id] = alert;
  }
  return newest;
}

/** Those of the calls whose agent, customer or id holds the words, in the order of the ids. */
export function sought(ids: readonly string[], calls: Calls, words: string, onlyFlagged: boolean) {
  const wanted = words.trim().toLowerCase();
  return ids.flatMap((id): CallSummary[] => {
    const call = calls[id];
    if (call === undefined || (onlyFlagged && !flagged(call))) return [];
    return `${call.call.agent} ${call.call.customer} ${id}`.toLowerCase().includes(wanted) ? [call] : [];
  });
}
