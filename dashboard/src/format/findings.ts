/** Which findings no alert tells of already. */
import type { Alert, Finding, Withdrawal } from '../wire/types';

/**
 * The findings to list beside the alerts: a rule that has just raised an alert is quiet for a while, and a call has a
 * limit of alerts, but every finding is kept as evidence.
 */
export function withoutAlert(findings: readonly Finding[], alerts: readonly Alert[]): readonly Finding[] {
  const raised = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = ruleOf(alert);
    const same = raised.get(key);
    if (same === undefined) raised.set(key, [alert]);
    else same.push(alert);
  }
  return findings.filter((finding) => raised.get(ruleOf(finding))?.some((alert) => covers(alert, finding)) !== true);
}

/** Whether that finding is the one that was withdrawn. */
export function isOf(
  { withdrawn }: Withdrawal,
  { rule, role, start, end }: Withdrawal['withdrawn'] | Finding,
): boolean {
  return withdrawn.rule === rule && withdrawn.role === role && withdrawn.start === start && withdrawn.end === end;
}

const ruleOf = ({ rule, role }: Alert | Finding) => `${role} ${rule}`;

/** Of two with one rule and role: the same utterance, or spans that share more than an edge, or equal ones. */
function covers(alert: Alert, finding: Finding): boolean {
  if (alert.utterance_id !== null && alert.utterance_id === finding.utterance_id) return true;
  if (alert.start === finding.start && alert.end === finding.end) return true;
  return Math.max(alert.start, finding.start) < Math.min(alert.end, finding.end);
}
