import { describe, expect, it } from 'vitest';
import { ApiError, bodyOf, createApi, recordsUrl } from '../src/wire/client';

/** A client whose requests end in `answer`; what was asked and how often the session was said to be over. */
function given(answer: () => Response | Promise<Response>, csrf = 'token') {
  const asked: Request[] = [];
  const seen = { asked, expired: 0 };
  const fetch = (request: Request) => {
    asked.push(request);
    return Promise.resolve(answer());
  };
  const hooks = { csrf: () => csrf, onExpired: () => (seen.expired += 1) };
  return { seen, api: createApi(hooks, { baseUrl: 'http://service', fetch }) };
}

const json = (body: unknown, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const fault = (code: string, message: string, field: string | null = null) => ({ error: { code, message, field } });
const refused = async (asked: Promise<unknown>) => {
  const error: unknown = await asked.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe('the address of an export', () => {
  it('holds what was asked for and nothing else', () => {
    const query = { agent: '李 & 王', since: '2026-03-01T16:00:00.000Z', until: null };
    const asked = new URL(recordsUrl(query), 'http://service').searchParams;
    expect([...asked]).toEqual([
      ['format', 'csv'],
      ['agent', '李 & 王'],
      ['since', '2026-03-01T16:00:00.000Z'],
    ]);
  });
});

describe('a request', () => {
  it('carries the token where it changes something, and only there', async () => {
    const { api, seen } = given(() => new Response(null, { status: 204 }));
    await api.DELETE('/api/v1/keys/{key_id}', { params: { path: { key_id: 'a/b' } } });
    await api.GET('/api/v1/users');
    expect(seen.asked.map((request) => request.headers.get('X-CSRF-Token'))).toEqual(['token', null]);
    expect(seen.asked[0]?.url).toBe('http://service/api/v1/keys/a%2Fb');
  });

  it('repeats a filter of several values and leaves out what is not asked', async () => {
    const { api, seen } = given(() => json({ alerts: [], next: null }));
    const query = { state: ['open' as const, 'confirmed' as const], severity: [], cursor: null };
    await bodyOf(api.GET('/api/v1/alerts', { params: { query } }));
    expect(new URL(seen.asked[0]?.url ?? '').search).toBe('?state=open&state=confirmed');
  });
});

describe('a refusal', () => {
  it('is thrown with the code, the field and the time to wait', async () => {
    const { api } = given(() => json(fault('too_many_attempts', 'Wait.', 'password'), 429, { 'Retry-After': '17' }));
    const error = await refused(api.POST('/api/v1/session', { body: { username: 'a', password: 'b' } }));
    expect(error).toMatchObject({
      status: 429,
      code: 'too_many_attempts',
      message: 'Wait.',
      field: 'password',
      retryAfter: 17,
    });
  });

  it('needs no body that can be read', async () => {
    const { api } = given(() => new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
    expect(await refused(api.GET('/api/v1/users'))).toMatchObject({ code: 'http_502', message: 'Bad Gateway' });
  });

  it('says that the session is over, but not to one who asks for a session', async () => {
    const { api, seen } = given(() => json(fault('not_logged_in', 'Log in first.'), 401));
    await refused(api.GET('/api/v1/session'));
    expect(seen.expired).toBe(0);
    await refused(api.GET('/api/v1/users'));
    await refused(api.DELETE('/api/v1/session'));
    expect(seen.expired).toBe(2);
  });

  it('of a password, to log in or to change it, is no end of the session', async () => {
    const { api, seen } = given(() => json(fault('wrong_credentials', 'The password is wrong.'), 401));
    await refused(api.POST('/api/v1/session', { body: { username: 'a', password: 'b' } }));
    await refused(api.PUT('/api/v1/session/password', { body: { old: 'a', new: 'b' } }));
    expect(seen.expired).toBe(0);
  });

  it('is offline where no answer comes', async () => {
    const { api } = given(() => Promise.reject(new TypeError('no network')));
    expect(await refused(api.GET('/api/v1/users'))).toMatchObject({ status: 0, code: 'offline' });
  });
});
