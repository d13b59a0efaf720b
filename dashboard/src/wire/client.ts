/** The HTTP side of the contract: a client typed by the OpenAPI document, one error type, the CSRF token. */
import createClient, { type Client, type ClientOptions, type Middleware } from 'openapi-fetch';
import type { paths } from './schema';
import type { Fault } from './types';

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

export type Api = Client<paths>;

export interface SessionHooks {
  /** The token that every change must carry; empty before there is a session. */
  csrf: () => string;
  /** Told when a request finds the session over; not to one that asks whether there is a session. */
  onExpired: () => void;
}

/** A client whose every refusal is thrown as an ApiError. */
export function createApi(hooks: SessionHooks, options: ClientOptions = {}): Api {
  const client = createClient<paths>({ credentials: 'same-origin', ...options });
  client.use(refusing(hooks));
  return client;
}

/** The body of an answer. */
export async function bodyOf<T>(asked: Promise<{ data: T } | { data?: never }>): Promise<T> {
  return (await asked).data as T; // a refusal has been thrown
}

export function recordingUrl(callId: string): string {
  return `/api/v1/calls/${encodeURIComponent(callId)}/recording`;
}

/** Where the records of these calls are had as a file for spreadsheets. */
export function recordsUrl(query: {
  readonly [name in 'agent' | 'since' | 'until']?: string | null | undefined;
}): string {
  const asked = Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return `/api/v1/records?${new URLSearchParams([['format', 'csv'], ...asked]).toString()}`;
}

const SESSION = '/api/v1/session' satisfies keyof paths;

function refusing({ csrf, onExpired }: SessionHooks): Middleware {
  return {
    onRequest({ request }) {
      request.headers.set('Accept', 'application/json');
      if (request.method !== 'GET' && csrf() !== '') request.headers.set('X-CSRF-Token', csrf());
    },
    async onResponse({ request, response, schemaPath }) {
      if (response.ok) return;
      const refused = await refusal(response);
      const asksWho = schemaPath === SESSION && request.method === 'GET';
      // A password that is wrong is no session that is over.
      if (refused.status === 401 && refused.code !== 'wrong_credentials' && !asksWho) onExpired();
      throw refused;
    },
    onError() {
      return new ApiError(0, 'offline', 'The service did not answer.');
    },
  };
}

async function refusal(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('Retry-After'));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  const answer: unknown = await response.json().catch(() => null);
  const error = (answer as Partial<Fault> | null)?.error;
  const code = error?.code ?? `http_${response.status}`;
  return new ApiError(response.status, code, error?.message ?? response.statusText, error?.field ?? null, retryAfter);
}
