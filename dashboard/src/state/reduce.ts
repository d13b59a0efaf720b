/** The live picture as a pure function of the messages: what the wall, the header and the alert feed show. */
import type {
  Alert,
  CallSummary,
  Fact,
  Health,
  Interim,
  LiveEvent,
  LiveMessage,
  Role,
  Snapshot,
  Withdrawal,
} from '../wire/types';
import type { LastLevels } from '../format/progress';

export type Interims = Readonly<{ [role in Role]?: Interim }>;

export interface LiveState {
  readonly calls: Readonly<Record<string, CallSummary>>;
  readonly alerts: Readonly<Record<string, Alert>>;
  readonly lastLevels: Readonly<Record<string, LastLevels>>;
  /** What each party of a call has said so far of an utterance that still goes on. */
  readonly interims: Readonly<Record<string, Interims>>;
  readonly health: Health | null;
  /** The last seq up to which nothing is missing, for each call held. */
  readonly seqs: Readonly<Record<string, number>>;
  /** Calls with missed events, and the seq after which to ask for them. */
  readonly holes: Readonly<Record<string, number>>;
  /** Messages were dropped and the snapshot that follows has not come yet. */
  readonly stale: boolean;
}

export const EMPTY: LiveState = {
  calls: {},
  alerts: {},
  lastLevels: {},
  interims: {},
  health: null,
  seqs: {},
  holes: {},
  stale: true,
};

/** A screen left on for weeks must not grow: beyond this many alerts the oldest decided ones go first. */
export const MOST_ALERTS = 500;

/** `now` is this machine's time in milliseconds. */
export function reduce(state: LiveState, message: LiveMessage, now: number): LiveState {
  switch (message.type) {
    case 'snapshot':
      return onSnapshot(message);
    case 'event':
      return onEvent(state, message);
    case 'levels':
      return message.call_id in state.calls
        ? { ...state, lastLevels: { ...state.lastLevels, [message.call_id]: { levels: message, now } } }
        : state;
    case 'partial':
      return onInterim(state, message);
    case 'health':
      return { ...state, health: message.health };
    case 'resync':
      return { ...state, stale: true };
    default:
      return unknown(message, state);
  }
}

/** Many messages in one step: the picture is drawn once for all that came since the last frame. */
export function reduceAll(state: LiveState, messages: readonly LiveMessage[], now: number): LiveState {
  return messages.reduce((before, message) => reduce(before, message, now), state);
}

/** Forgets ended calls once the wall has shown their end long enough. */
export function forgetCalls(state: LiveState, ids: ReadonlySet<string>): LiveState {
  if (ids.size === 0) return state;
  const keep = <T>(held: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(held).filter(([id]) => !ids.has(id)));
  return {
    ...state,
    calls: keep(state.calls),
    lastLevels: keep(state.lastLevels),
    interims: keep(state.interims),
    seqs: keep(state.seqs),
    holes: keep(state.holes),
  };
}

/** An alert as an HTTP answer gave it; the feed and the wall then agree without waiting for the event. */
export function adoptAlert(state: LiveState, alert: Alert): LiveState {
  return { ...state, alerts: { ...state.alerts, [alert.id]: alert } };
}

function onSnapshot(snapshot: Snapshot): LiveState {
  return {
    calls: Object.fromEntries(snapshot.calls.map((call) => [call.call.id, call])),
    alerts: Object.fromEntries(snapshot.alerts.map((alert) => [alert.id, alert])),
    lastLevels: {},
    interims: {},
    health: snapshot.health,
    seqs: Object.fromEntries(snapshot.calls.map((call) => [call.call.id, call.seq])),
    holes: {},
    stale: false,
  };
}

function onInterim(state: LiveState, interim: Interim): LiveState {
  if (!(interim.call_id in state.calls)) return state;
  return withInterim(state, interim.call_id, interim.role, interim.text === '' ? undefined : interim);
}

function withInterim(state: LiveState, id: string, role: Role, interim: Interim | undefined): LiveState {
  const { [role]: _old, ...others } = state.interims[id] ?? {};
  const interims: Interims = interim === undefined ? others : { ...others, [role]: interim };
  return { ...state, interims: { ...state.interims, [id]: interims } };
}

/** The final text takes the place of the interim one; an ended call has none. */
function settled(state: LiveState, id: string, fact: Fact): LiveState {
  if (fact.type === 'call_closed') return { ...state, interims: { ...state.interims, [id]: {} } };
  if (fact.type !== 'utterance') return state;
  const { role, end } = fact.utterance;
  const shown = state.interims[id]?.[role];
  return shown !== undefined && shown.start < end ? withInterim(state, id, role, undefined) : state;
}

function onEvent(state: LiveState, event: LiveEvent): LiveState {
  const id = event.call_id;
  const held = state.calls[id];
  const opens = event.fact.type === 'call_opened' || event.fact.type === 'call_resumed';
  if (held === undefined && !opens) {
    // A call this picture no longer shows: only what people decide about its alerts still matters.
    return withFact(state, event);
  }
  const whole = state.seqs[id] ?? 0;
  if (event.seq <= whole) return state;
  const summary = after(held, event);
  const calls = summary === undefined ? state.calls : { ...state.calls, [id]: summary };
  const now = settled({ ...state, calls, ...advance(state, event, whole) }, id, event.fact);
  return withFact(now, event);
}

/**
 * The call's summary after an event. Few events carry one, and it leaves out what was told once: the metadata, which
 * the opening and the snapshot have.
 */
export function after(held: CallSummary | undefined, { fact, seq, summary }: LiveEvent): CallSummary | undefined {
  if (summary === null || (held !== undefined && held.seq > seq)) return held;
  const told = fact.type === 'call_opened' ? fact.call : held?.call;
  return told === undefined ? summary : { ...summary, call: { ...summary.call, metadata: told.metadata } };
}

/** Later events count at once; `whole` moves only without a hole, so that the missed ones are asked for. */
function advance(state: LiveState, event: LiveEvent, whole: number): Pick<LiveState, 'seqs' | 'holes'> {
  const id = event.call_id;
  if (event.seq > whole + 1) return { seqs: state.seqs, holes: { ...state.holes, [id]: whole } };
  const { [id]: _closed, ...holes } = state.holes;
  return { seqs: { ...state.seqs, [id]: event.seq }, holes };
}

function withFact(state: LiveState, { fact, at }: LiveEvent): LiveState {
  switch (fact.type) {
    case 'alert': {
      const held = state.alerts[fact.alert.id];
      const decided = held !== undefined && held.changed_at !== null && fact.alert.changed_at === null;
      return decided ? state : bounded(adoptAlert(state, fact.alert));
    }
    case 'alert_changed': {
      const held = state.alerts[fact.alert_id];
      if (held === undefined) return state;
      const change = { state: fact.state, changed_by: fact.by, changed_at: fact.at, note: fact.note };
      return adoptAlert(state, { ...held, ...change });
    }
    case 'finding_withdrawn': {
      const held = state.alerts[fact.alert_id ?? ''];
      return held === undefined ? state : adoptAlert(state, { ...held, ...dismissal(held, fact, at) });
    }
    case 'call_opened':
    case 'utterance':
    case 'words':
    case 'sentiment':
    case 'statement':
    case 'finding':
    case 'gap':
    case 'dtmf':
    case 'notice':
    case 'call_resumed':
    case 'call_closed':
    case 'note_written':
      return state; // The event's summary has said it all.
    default:
      return unknown(fact, state);
  }
}

/** What a withdrawn finding does to its alert: nothing where a person has decided. The server's store does the same. */
export function dismissal(alert: Alert, { withdrawn }: Withdrawal, at: string): Partial<Alert> {
  if (alert.state === 'confirmed' || alert.state === 'dismissed') return {};
  const note = `${withdrawn.why.zh} / ${withdrawn.why.en}`;
  return { state: 'dismissed', changed_by: 'callwarden', changed_at: at, note };
}

function bounded(state: LiveState): LiveState {
  const all = Object.values(state.alerts);
  if (all.length <= MOST_ALERTS) return state;
  const decided = (alert: Alert) => (alert.state === 'confirmed' || alert.state === 'dismissed' ? 0 : 1);
  all.sort((a, b) => decided(a) - decided(b) || a.raised_at.localeCompare(b.raised_at));
  const alerts = Object.fromEntries(all.slice(all.length - MOST_ALERTS).map((alert) => [alert.id, alert]));
  return { ...state, alerts };
}

/** A newer service may say what this build does not know: keep going with what we have. */
function unknown(_never: never, state: LiveState): LiveState {
  return state;
}
