/** A source as a form holds it, and back. Pure. */
import type { Source, SourceChange } from '../wire/types';

/** Lists are lines of text, one entry each; pairs are `name=value`. */
export interface SourceDraft extends Omit<
  Source,
  'name' | 'labels' | 'networks' | 'names' | 'credential' | 'max_share'
> {
  labels: string;
  networks: string;
  names: Record<NamedField, string>;
  /** Percent. */
  share: number | null;
  kind: CredentialKind;
  credentialName: string;
  /** Empty: the one that it has. */
  secret: string;
}

export type NamedField = keyof Source['names'];
export type CredentialKind = Source['credential']['kind'];

export const NAMED_FIELDS = ['call_id', 'agent', 'customer', 'direction', 'started_at'] as const satisfies NamedField[];
/** Those whose name says which header, user or API key. */
export const NAMED_KINDS: readonly CredentialKind[] = ['header', 'basic', 'audiohook'];

export const NOTHING: Source = {
  name: '',
  dialect: null,
  first_track: 'customer',
  language: null,
  jurisdiction: null,
  timezone: '',
  clock: null,
  labels: {},
  names: {},
  credential: { kind: 'key', name: '' },
  public_url: '',
  idle_seconds: null,
  networks: [],
  max_calls: null,
  max_share: null,
};

/** Its legs the other way round. */
export const swapped = ({ first_track }: Source): SourceChange => ({
  first_track: first_track === 'agent' ? 'customer' : 'agent',
});

export function draftOf(source: Source): SourceDraft {
  const { name: _name, labels, networks, names, credential, max_share: share, ...rest } = source;
  return {
    ...rest,
    labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    networks: networks.join('\n'),
    names: { call_id: '', agent: '', customer: '', direction: '', started_at: '', ...names },
    share: share === null ? null : Math.round(share * 100),
    kind: credential.kind,
    credentialName: credential.name,
    secret: '',
  };
}

/** What the service is told of it: all that the form holds, the secret only where one was written. */
export function changeOf(draft: SourceDraft): SourceChange {
  const { share, kind, credentialName, secret, dialect, timezone, public_url, ...rest } = draft;
  const credential = { kind, name: NAMED_KINDS.includes(kind) ? credentialName.trim() : '' };
  return {
    ...rest,
    dialect: dialect?.trim() || null,
    timezone: timezone.trim(),
    public_url: public_url.trim(),
    labels: Object.fromEntries(lines(draft.labels).map(pair)),
    networks: lines(draft.networks),
    names: Object.fromEntries(
      Object.entries(draft.names)
        .map(([field, key]) => [field, key.trim()])
        .filter(([, key]) => key !== ''),
    ),
    max_share: share === null ? null : share / 100,
    credential: secret === '' ? credential : { ...credential, secret },
  };
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function pair(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}
