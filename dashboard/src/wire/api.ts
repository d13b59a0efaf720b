/** HTTP side of the contract: one function a request, one error type, the CSRF token kept here. */
import type {
  Account,
  Alert,
  AlertPage,
  AlertState,
  CallPage,
  CallRecord,
  Fault,
  GatewayKey,
  LiveEvent,
  NewGatewayKey,
  Peaks,
  Role,
  Session,
  Severity,
  UserChange,
  UserRole,
} from './types';

/** What the service refused, in its own code; `offline` where no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface CallFilter {
  state?: 'live' | 'ended' | undefined;
  flagged?: boolean | undefined;
  agent?: string | undefined;
  text?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
}

export interface AlertFilter {
  state?: readonly AlertState[] | undefined;
  severity?: readonly Severity[] | undefined;
  call_id?: string | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
}

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export class Api {
  #csrf = '';

  /** `onExpired` is told when any request but the log-in itself meets a 401. */
  constructor(private readonly onExpired: () => void) {}

  async logIn(username: string, password: string): Promise<Session> {
    return this.#adopt(await this.#send<Session>('POST', '/session', { username, password }, false));
  }

  async session(): Promise<Session> {
    return this.#adopt(await this.#send<Session>('GET', '/session', undefined, false));
  }

  logOut(): Promise<void> {
    return this.#send('DELETE', '/session');
  }

  changePassword(old: string, fresh: string): Promise<void> {
    return this.#send('PUT', '/session/password', { old, new: fresh });
  }

  calls(filter: CallFilter): Promise<CallPage> {
    return this.#send('GET', `/calls${query({ ...filter })}`);
  }

  call(id: string): Promise<CallRecord> {
    return this.#send('GET', `/calls/${encodeURIComponent(id)}`);
  }

  async events(id: string, after: number): Promise<LiveEvent[]> {
    const path = `/calls/${encodeURIComponent(id)}/events${query({ after, limit: 1000 })}`;
    return (await this.#send<{ events: LiveEvent[] }>('GET', path)).events;
  }

  peaks(id: string, points: number): Promise<Peaks> {
    return this.#send('GET', `/calls/${encodeURIComponent(id)}/peaks${query({ points })}`);
  }

  alerts(filter: AlertFilter): Promise<AlertPage> {
    return this.#send('GET', `/alerts${query({ ...filter })}`);
  }

  /** `seen`: the state the alert was shown in; a decision someone else made meanwhile answers 409. */
  decide(alertId: string, state: AlertState, note: string, seen: AlertState): Promise<Alert> {
    return this.#send('PUT', `/alerts/${encodeURIComponent(alertId)}/state`, { state, note, seen });
  }

  async users(): Promise<Account[]> {
    return (await this.#send<{ users: Account[] }>('GET', '/users')).users;
  }

  addUser(name: string, role: UserRole, password: string): Promise<Account> {
    return this.#send('POST', '/users', { name, role, password });
  }

  changeUser(name: string, change: UserChange): Promise<Account> {
    return this.#send('PUT', `/users/${encodeURIComponent(name)}`, change);
  }

  async keys(): Promise<GatewayKey[]> {
    return (await this.#send<{ keys: GatewayKey[] }>('GET', '/keys')).keys;
  }

  addKey(
    source: string,
    rights: GatewayKey['rights'],
    first_track: Role,
    timezone: string,
    max_calls: number | null,
  ): Promise<NewGatewayKey> {
    return this.#send('POST', '/keys', { source, rights, first_track, timezone, max_calls });
  }

  revokeKey(id: string): Promise<void> {
    return this.#send('DELETE', `/keys/${encodeURIComponent(id)}`);
  }

  #adopt(session: Session): Session {
    this.#csrf = session.csrf;
    return session;
  }

  async #send<T>(method: string, path: string, body?: unknown, expires = true): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && this.#csrf !== '') headers['X-CSRF-Token'] = this.#csrf;
    const init: RequestInit = { method, headers, credentials: 'same-origin' };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`/api/v1${path}`, init).catch(() => {
      throw new ApiError(0, 'offline', 'The service did not answer.');
    });
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
    if (response.status === 401 && expires) this.onExpired();
    throw await refusal(response);
  }
}

export function recordingUrl(callId: string): string {
  return `/api/v1/calls/${encodeURIComponent(callId)}/recording`;
}

async function refusal(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('Retry-After'));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  const answer: unknown = await response.json().catch(() => null);
  const error = (answer as Partial<Fault> | null)?.error;
  const code = error?.code ?? `http_${response.status}`;
  return new ApiError(response.status, code, error?.message ?? response.statusText, error?.field ?? null, retryAfter);
}

function query(parts: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
