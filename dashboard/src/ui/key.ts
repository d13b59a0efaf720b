/** A gateway key as a form holds it, and as a list tells of it. Pure. */
import type { Messages } from '../i18n/zh';
import type { GatewayKey, NewKey } from '../wire/types';

type Unsaid<T> = { [Field in keyof T]: T[Field] | null };

/** What is null of its source is as the source is, else as the service is set. */
export interface KeyDraft extends Unsaid<
  Pick<GatewayKey, 'first_track' | 'language' | 'jurisdiction' | 'clock' | 'max_calls'>
> {
  source: string;
  timezone: string;
  /** It reads what comes of its calls. */
  events: boolean;
  /** It reads the metrics, and nothing else. */
  metrics: boolean;
}

export const NO_KEY: KeyDraft = {
  source: '',
  first_track: null,
  language: null,
  jurisdiction: null,
  timezone: '',
  clock: null,
  max_calls: null,
  events: true,
  metrics: false,
};

export function newKeyOf({ source, timezone, events, metrics, max_calls, ...said }: KeyDraft): NewKey {
  const calls: NewKey['rights'] = events ? ['stream', 'events'] : ['stream'];
  return {
    ...said,
    source: source.trim(),
    timezone: timezone.trim(),
    max_calls: max_calls ?? null, // an emptied field gives undefined
    rights: metrics ? ['metrics'] : calls,
  };
}

/** What holds for the calls of its source that do not say it themselves; empty where the service's settings do. */
export function defaultsOf({ language, jurisdiction, timezone, clock }: GatewayKey, words: Messages['keys']): string {
  const told = [
    language === null ? '' : words.languages[language],
    jurisdiction === null ? '' : words.laws[jurisdiction],
    timezone,
    clock === null ? '' : words.clocks[clock],
  ];
  return told.filter((each) => each !== '').join(' · ');
}
