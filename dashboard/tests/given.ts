/** Small whole values of the wire types; each test says only what matters to it. */
import type {
  Alert,
  CallNote,
  CallRecord,
  CallSummary,
  Fact,
  Finding,
  GatewayKey,
  Levels,
  LiveEvent,
  NoteWritten,
  Party,
  PartyTalk,
  Role,
  Snapshot,
  Statement,
  Utterance,
  Withdrawal,
} from '../src/wire/types';

export function call(id: string, change: Partial<CallSummary> = {}): CallSummary {
  return {
    call: {
      id,
      source: 'pbx',
      roles: ['agent', 'customer'],
      encoding: 'mulaw',
      rate: 8000,
      language: 'zh',
      jurisdiction: 'CN',
      started_at: '2026-03-10T09:00:00+08:00',
      agent: 'A1',
      customer: 'C1',
      timezone: 'Asia/Shanghai',
      metadata: {},
    },
    state: 'live',
    seq: 1,
    risk: 0,
    alerts: {},
    alert_states: {},
    parties: [],
    gaps: 0,
    troubles: [],
    ended_at: null,
    duration: 0,
    ending: null,
    ...change,
  };
}

export function alert(id: string, change: Partial<Alert> = {}): Alert {
  return {
    id,
    call_id: 'a',
    kind: 'violation',
    category: 'abuse_insult',
    rule: 'cn.insult',
    detector: 'lexical',
    severity: 'high',
    score: 0.9,
    role: 'agent',
    start: 1,
    end: 2,
    quote: '老赖',
    title: { zh: '辱骂', en: 'Insult' },
    why: { zh: '', en: '' },
    cites: [],
    utterance_id: 'agent-0',
    decided_by_transcript: true,
    pack: null,
    sentence: '',
    lead: '',
    lead_role: null,
    raised_at: '2026-03-10T09:00:10+08:00',
    latency: 1,
    state: 'open',
    changed_by: null,
    changed_at: null,
    note: '',
    ...change,
  };
}

export function finding(change: Partial<Finding> = {}): Finding {
  return {
    kind: 'violation',
    category: 'abuse_insult',
    rule: 'cn.insult',
    detector: 'lexical',
    severity: 'high',
    score: 0.9,
    role: 'agent',
    start: 1,
    end: 2,
    quote: '老赖',
    title: { zh: '辱骂', en: 'Insult' },
    why: { zh: '', en: '' },
    cites: [],
    utterance_id: 'agent-0',
    decided_by_transcript: true,
    pack: null,
    sentence: '',
    lead: '',
    lead_role: null,
    ...change,
  };
}

export function statement(change: Partial<Statement> = {}): Statement {
  return {
    kind: 'promise',
    role: 'customer',
    start: 30,
    end: 34,
    quote: '我十五号先还两千',
    utterance_id: 'customer-3',
    score: 0.9,
    amount: '2000.00',
    currency: 'CNY',
    day: '2026-03-15',
    hour: null,
    ...change,
  };
}

export function note(change: Partial<CallNote> = {}): CallNote {
  return {
    outcomes: [],
    conduct: [],
    promise_amount: null,
    promise_currency: null,
    promise_day: null,
    callback_day: null,
    callback_hour: null,
    text: '',
    ...change,
  };
}

export function written(by: string, at: string, change: Partial<CallNote> = {}): NoteWritten {
  return { type: 'note_written', note: note(change), by, at };
}

export function utterance(id: string, start: number): Utterance {
  return {
    id,
    call_id: 'a',
    role: 'agent',
    index: 0,
    start,
    end: start + 1,
    text: '你好',
    language: 'zh',
    confidence: 0.9,
    words: [],
    acoustics: null,
  };
}

export function event(callId: string, seq: number, fact: Fact, change: Partial<CallSummary> = {}): LiveEvent {
  return {
    type: 'event',
    call_id: callId,
    seq,
    at: '2026-03-10T09:00:10+08:00',
    fact,
    summary: call(callId, { seq, ...change }),
  };
}

export function snapshot(calls: CallSummary[], alerts: Alert[] = []): Snapshot {
  const health = {
    model: 'base',
    live_calls: calls.length,
    max_calls: 9,
    backlog: 0,
    level: 'full' as const,
    troubles: [],
  };
  return { type: 'snapshot', now: '2026-03-10T01:00:00Z', calls, alerts, health };
}

export const said = (id: string, start: number): Fact => ({ type: 'utterance', utterance: utterance(id, start) });
export const found = (made: Finding): Fact => ({ type: 'finding', finding: made });
export const raised = (made: Alert): Fact => ({ type: 'alert', alert: made });
export const decided = (alertId: string): Fact => ({
  type: 'alert_changed',
  alert_id: alertId,
  state: 'dismissed',
  by: 'chen',
  at: '2026-03-10T09:01:00+08:00',
  note: '误报',
});

export function withdrawn(alertId: string | null, change: Partial<Withdrawal['withdrawn']> = {}): Withdrawal {
  const why = { zh: '客户说的', en: 'the customer said it' };
  return {
    type: 'finding_withdrawn',
    withdrawn: { rule: 'cn.insult', role: 'agent', start: 1, end: 2, why, ...change },
    alert_id: alertId,
    at: 9,
  };
}

export function key(id: string, change: Partial<GatewayKey> = {}): GatewayKey {
  return {
    id,
    source: 'pbx',
    rights: ['stream'],
    first_track: 'customer',
    language: null,
    jurisdiction: null,
    timezone: '',
    clock: null,
    created_at: '2026-03-10T09:00:00+08:00',
    revoked_at: null,
    max_calls: null,
    max_share: null,
    ...change,
  };
}

export function party(role: Role, change: Partial<Party> = {}): Party {
  return { role, sentiment: null, points: [], talked: 0, last_text: '', last_end: 0, ...change };
}

/** What is heard of a call at that second of it. */
export function levels(callId: string, at: number, speaking: Role[] = []): Levels {
  return { type: 'levels', call_id: callId, at, dbfs: { agent: -20, customer: -60 }, speaking };
}

export function record(change: Partial<CallRecord> = {}): CallRecord {
  return {
    summary: call('a'),
    utterances: [],
    sentiments: [],
    findings: [],
    alerts: [],
    gaps: [],
    notices: [],
    withdrawals: [],
    statements: [],
    note: note(),
    edits: [],
    ...change,
  };
}

/** What a party says in steps of so many characters a minute, 4 s in each. */
export const partyTalk = (role: Role, rates: readonly (number | null)[]): PartyTalk => ({
  role,
  talked: 4 * rates.length,
  share: 0.5,
  monologue: null,
  interruptions: [],
  steps: rates.map((rate) => ({ talked: rate === null ? 0 : 4, level_dbfs: -25, pitch_hz: 140, rate })),
});
