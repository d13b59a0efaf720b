/** The service's own words for things, read off its OpenAPI document. Nothing here is written by hand twice. */
import type { Readable } from 'openapi-typescript-helpers';
import type { components, paths } from './schema';

/** As the client reads them. */
type Schemas = { [Name in keyof components['schemas']]: Readable<components['schemas'][Name]> };

export type Alert = Schemas['Alert'];
export type AlertPage = Schemas['AlertPage'];
export type Bilingual = Schemas['Bilingual'];
export type Call = Schemas['Call'];
export type CallNote = Schemas['CallNote'];
export type CallPage = Schemas['CallPage'];
/** What the service is asked for among the calls. */
export type CallQuery = NonNullable<paths['/api/v1/calls']['get']['parameters']['query']>;
export type CallRecord = Schemas['CallRecord'];
export type CallSummary = Schemas['CallSummary'];
export type Conversation = Schemas['Conversation'];
export type Finding = Schemas['Finding'];
export type Withdrawal = Schemas['FindingWithdrawn'];
export type Gap = Schemas['GapMarked'];
export type GatewayKey = Schemas['KeyAnswer'];
export type NewKey = components['schemas']['NewKey'];
export type Source = Schemas['SourceAnswer'];
/** A gateway's connection as whoever sets the gateway up sees it. */
export type Connection = Schemas['ConnectionPreview'];
export type LegPreview = Schemas['LegPreview'];
export type MappedField = Schemas['MappedField'];
export type SourceChange = components['schemas']['SourceChange'];
export type Webhook = Schemas['WebhookAnswer'];
export type NewWebhook = components['schemas']['NewWebhook'];
export type Delivery = Schemas['DeliveryAnswer'];
export type Health = Schemas['Health'];
export type Level = Health['level'];
export type Levels = Schemas['Levels'];
export type LiveEvent = Schemas['Event'];
export type LiveMessage = Schemas['LiveMessage'];
export type LiveRequest = Schemas['LiveRequest'];
/** Words of an utterance that still goes on; not called Partial, which TypeScript has for something else. */
export type Interim = Schemas['Partial'];
export type NoteAnswer = Schemas['NoteAnswer'];
export type NoteWritten = Schemas['NoteWritten'];
export type Notice = Schemas['Notice'];
export type Party = Schemas['Party'];
export type PartyTalk = Schemas['PartyTalk'];
export type Peaks = Schemas['Peaks'];
export type Reference = Schemas['ReferenceAnswer'];
export type Sentiment = Schemas['Sentiment'];
export type SentimentPoint = Schemas['SentimentPoint'];
export type Session = Schemas['SessionAnswer'];
export type Snapshot = Schemas['Snapshot'];
export type Statement = Schemas['Statement'];
export type User = Schemas['Who'];
export type Account = Schemas['UserAnswer'];
export type UserChange = Schemas['UserChange'];
export type Utterance = Schemas['Utterance'];
export type Fault = Schemas['ErrorAnswer'];

export type Fact = LiveEvent['fact'];
export type AlertState = Alert['state'];
export type Severity = Alert['severity'];
export type Role = Alert['role'];
/** What the debtor's side says that belongs into a call's record. */
export type Said = CallNote['outcomes'][number];
/** What an agent does well. */
export type Conduct = CallNote['conduct'][number];
export type Currency = NonNullable<CallNote['promise_currency']>;
export type Emotion = Sentiment['emotion'];
export type Ending = NonNullable<CallSummary['ending']>;
export type NoticeCode = Notice['code'];
export type UserRole = User['role'];
export type Right = User['rights'][number];

/** What the service asks of a new password, in characters. */
export const MIN_PASSWORD = 10;
export const MAX_PASSWORD = 256;
export const SHAPES = [
  'cloudevents',
  'slack',
  'dingtalk',
  'wecom',
  'feishu',
] as const satisfies readonly Webhook['shape'][];
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const satisfies readonly Severity[];
export const ALERT_STATES = ['open', 'acknowledged', 'confirmed', 'dismissed'] as const satisfies readonly AlertState[];
export const USER_ROLES = ['supervisor', 'compliance', 'integrator', 'admin'] as const satisfies readonly UserRole[];
export const ROLES = ['agent', 'customer'] as const satisfies readonly Role[];
export const CURRENCIES = ['CNY', 'USD', 'GBP'] as const satisfies readonly Currency[];
export const SAID = [
  'promise',
  'refusal',
  'hardship',
  'dispute',
  'complaint',
  'callback',
  'stop',
  'wrong_number',
  'third_party',
  'vulnerable',
  'asks_identity',
  'confirms_identity',
] as const satisfies readonly Said[];
export const CONDUCT = [
  'greeting',
  'gives_identity',
  'recording_notice',
  'verifies',
  'purpose',
  'empathy',
  'listening',
  'options',
  'official_channel',
  'complaint_channel',
  'respects',
  'escalates',
  'confirms_promise',
  'thanks',
] as const satisfies readonly Conduct[];
