/** The service's own words for things, read off its OpenAPI document. Nothing here is written by hand twice. */
import type { components } from './schema';

type Schemas = components['schemas'];

/** The document marks fields with defaults as optional; the service always sends them. */
type Sent<T> = T extends object ? { [K in keyof T]-?: Sent<T[K]> } : T;

export type Alert = Sent<Schemas['Alert']>;
export type AlertPage = Sent<Schemas['AlertPage']>;
export type Bilingual = Sent<Schemas['Bilingual']>;
export type Call = Sent<Schemas['Call']>;
export type CallPage = Sent<Schemas['CallPage']>;
export type CallSummary = Sent<Schemas['CallSummary']>;
export type Finding = Sent<Schemas['Finding']>;
export type Gap = Sent<Schemas['GapMarked']>;
export type Health = Sent<Schemas['Health']>;
export type Levels = Sent<Schemas['Levels']>;
export type LiveEvent = Sent<Schemas['Event']>;
export type Notice = Sent<Schemas['Notice']>;
export type Party = Sent<Schemas['Party']>;
export type Sentiment = Sent<Schemas['Sentiment']>;
export type SentimentPoint = Sent<Schemas['SentimentPoint']>;
export type Snapshot = Sent<Schemas['Snapshot']>;
export type Utterance = Sent<Schemas['Utterance']>;

export type CallRecord = Sent<Schemas['CallRecord']> & { notices?: Notice[] };

export type Fact = LiveEvent['fact'];
export type LiveMessage =
  | Snapshot
  | LiveEvent
  | Levels
  | Sent<Schemas['HealthChanged']>
  | Sent<Schemas['Resync']>;

export type AlertState = Alert['state'];
export type Severity = Alert['severity'];
export type Role = Alert['role'];
export type Emotion = Sentiment['emotion'];
export type Ending = NonNullable<CallSummary['ending']>;
export type NoticeCode = Notice['code'];

export type UserRole = 'supervisor' | 'compliance' | 'integrator' | 'admin';
export interface User {
  name: string;
  role: UserRole;
}
export interface Session {
  user: User;
  csrf: string;
}
export interface Account extends User {
  created_at: string;
  disabled: boolean;
}
export interface GatewayKey {
  id: string;
  source: string;
  rights: ('stream' | 'events')[];
  first_track: Role;
  created_at: string;
  revoked_at: string | null;
}
export interface Peaks {
  duration: number;
  roles: Role[];
  peaks: number[][];
}

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const satisfies readonly Severity[];
export const ALERT_STATES = ['open', 'acknowledged', 'confirmed', 'dismissed'] as const satisfies readonly AlertState[];
export const USER_ROLES = ['supervisor', 'compliance', 'integrator', 'admin'] as const satisfies readonly UserRole[];
export const ROLES = ['agent', 'customer'] as const satisfies readonly Role[];
