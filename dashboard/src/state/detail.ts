/** One opened call: its record, kept up by the live events. Pure. */
import type {
  Alert,
  CallNote,
  CallRecord,
  CallSummary,
  Finding,
  Gap,
  LiveEvent,
  NoteAnswer,
  NoteWritten,
  Notice,
  Sentiment,
  Statement,
  Utterance,
  Withdrawal,
} from '../wire/types';
import { isOf } from '../format/findings';
import { after, dismissal } from './reduce';

export interface CallDetail {
  readonly summary: CallSummary;
  readonly utterances: readonly Utterance[];
  readonly sentiments: readonly Sentiment[];
  readonly findings: readonly Finding[];
  readonly alerts: readonly Alert[];
  readonly gaps: readonly Gap[];
  readonly notices: readonly Notice[];
  readonly withdrawals: readonly Withdrawal[];
  readonly statements: readonly Statement[];
  /** As the last person left it, else as the service drafted it when the call was loaded. */
  readonly note: CallNote;
  /** Who wrote what into the note, oldest first. */
  readonly edits: readonly NoteWritten[];
  /** Nothing up to this seq is missing. */
  readonly seq: number;
  /** An event came whose predecessors did not: ask for those after `seq`. */
  readonly hole: boolean;
}

export function fromRecord(record: CallRecord): CallDetail {
  return { ...record, seq: record.summary.seq, hole: false };
}

/** Applies an event of this call; what was applied before changes nothing. */
export function follow(detail: CallDetail, event: LiveEvent): CallDetail {
  if (event.call_id !== detail.summary.call.id || event.seq <= detail.seq) return detail;
  const summary = after(detail.summary, event) ?? detail.summary;
  const next = event.seq === detail.seq + 1;
  return withFact({ ...detail, summary, seq: next ? event.seq : detail.seq, hole: !next }, event);
}

function withFact(detail: CallDetail, { fact, at }: LiveEvent): CallDetail {
  switch (fact.type) {
    case 'utterance':
      return { ...detail, utterances: insert(detail.utterances, fact.utterance, sameId, byStart) };
    case 'words':
      return {
        ...detail,
        utterances: detail.utterances.map((said) =>
          said.id === fact.utterance_id ? { ...said, words: fact.words } : said,
        ),
      };
    case 'sentiment':
      return { ...detail, sentiments: insert(detail.sentiments, fact.sentiment, sameUtterance, byAt) };
    case 'statement':
      return { ...detail, statements: insert(detail.statements, fact.statement, sameStatement, byStart) };
    case 'finding':
      return { ...detail, findings: insert(detail.findings, fact.finding, sameFinding, byStart) };
    case 'alert':
      return { ...detail, alerts: insert(detail.alerts, fact.alert, sameId, byStart) };
    case 'alert_changed':
      return changeAlert(detail, fact.alert_id, {
        state: fact.state,
        changed_by: fact.by,
        changed_at: fact.at,
        note: fact.note,
      });
    case 'finding_withdrawn':
      return withdraw(detail, fact, at);
    case 'gap':
      return { ...detail, gaps: insert(detail.gaps, fact, sameGap, byStart) };
    case 'notice':
      return { ...detail, notices: insert(detail.notices, fact, sameNotice, byAt) };
    case 'note_written': {
      const edits = insert(detail.edits, fact, sameEdit, byWritten);
      return { ...detail, edits, note: edits[edits.length - 1]?.note ?? fact.note };
    }
    case 'call_opened':
    case 'dtmf':
    case 'call_resumed':
    case 'call_closed':
      return detail; // Told by the summary.
    default:
      return unknown(fact, detail);
  }
}

function withdraw(detail: CallDetail, fact: Withdrawal, at: string): CallDetail {
  const alerts = detail.alerts.map((alert) =>
    alert.id === fact.alert_id ? { ...alert, ...dismissal(alert, fact, at) } : alert,
  );
  return { ...detail, alerts, withdrawals: insert(detail.withdrawals, fact, sameWithdrawal, byAt) };
}

export function changeAlert(detail: CallDetail, id: string, change: Partial<Alert>): CallDetail {
  return { ...detail, alerts: detail.alerts.map((alert) => (alert.id === id ? { ...alert, ...change } : alert)) };
}

/** The note as an HTTP answer gave it, unless the live feed has told of later edits already. */
export function adoptNote(detail: CallDetail, { note, edits }: NoteAnswer): CallDetail {
  return edits.length < detail.edits.length ? detail : { ...detail, note, edits };
}

const sameId = (a: { id: string }, b: { id: string }) => a.id === b.id;
const sameUtterance = (a: Sentiment, b: Sentiment) => a.utterance_id === b.utterance_id;
/** An utterance makes one statement of a kind at most. */
const sameStatement = (a: Statement, b: Statement) => a.kind === b.kind && a.utterance_id === b.utterance_id;
const sameEdit = (a: NoteWritten, b: NoteWritten) => a.at === b.at && a.by === b.by;
const sameFinding = (a: Finding, b: Finding) =>
  a.rule === b.rule &&
  a.role === b.role &&
  a.start === b.start &&
  a.end === b.end &&
  a.quote === b.quote &&
  a.severity === b.severity;
const sameGap = (a: Gap, b: Gap) => a.start === b.start && a.role === b.role && a.reason === b.reason;
const sameWithdrawal = (a: Withdrawal, b: Withdrawal) => a.at === b.at && isOf(a, b.withdrawn);
const sameNotice = (a: Notice, b: Notice) => a.code === b.code && a.at === b.at && a.message === b.message;
const byStart = (a: { start: number }, b: { start: number }) => a.start - b.start;
const byWritten = (a: NoteWritten, b: NoteWritten) => Date.parse(a.at) - Date.parse(b.at);
const byAt = (a: { at: number }, b: { at: number }) => a.at - b.at;

/** Facts come nearly in order, so the place is found from the end. */
function insert<T>(
  held: readonly T[],
  item: T,
  same: (a: T, b: T) => boolean,
  order: (a: T, b: T) => number,
): readonly T[] {
  if (held.some((other) => same(other, item))) return held;
  let place = held.length;
  for (let before = held[place - 1]; before !== undefined && order(before, item) > 0; before = held[place - 1]) {
    place -= 1;
  }
  return [...held.slice(0, place), item, ...held.slice(place)];
}

function unknown(_never: never, detail: CallDetail): CallDetail {
  return detail;
}
