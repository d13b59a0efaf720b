import { refusal, service } from './page';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Login from '../../src/features/login/Login.svelte';
import { text } from '../../src/i18n/text.svelte';
import { clock } from '../../src/state/clock.svelte';
import { session } from '../../src/state/session.svelte';

const ROUTE = 'POST /api/v1/session';
const USER = { user: { name: 'lin', role: 'supervisor', rights: ['watch'] }, csrf: 'token' };
const said = () => screen.getByRole('alert').textContent;
const button = () => screen.getByRole<HTMLButtonElement>('button', { name: /^Log(ging)? in/ });
const password = () => screen.getByLabelText<HTMLInputElement>('Password');

async function enter(name: string, secret: string) {
  await fireEvent.input(screen.getByLabelText('User name'), { target: { value: name } });
  await fireEvent.input(password(), { target: { value: secret } });
  await fireEvent.submit(screen.getByRole('form'));
}

beforeEach(async () => {
  text.choose('en');
  service.clear();
  service.answers('GET /api/v1/session', refusal(401, 'not_logged_in'));
  await session.check();
});

describe('logging in', () => {
  it('needs both a name and a password, and asks the service for nothing without', async () => {
    render(Login);
    await enter(' ', 'secret');
    expect(said()).toBe('Please give a user name and a password.');
    expect(service.asked(ROUTE)).toEqual([]);
  });

  it('sends the name without the blanks around it, and lets the person in', async () => {
    service.answers(ROUTE, USER);
    render(Login);
    await enter(' lin ', ' secret ');
    await expect.poll(() => session.user?.name).toBe('lin');
    expect(service.asked(ROUTE)[0]?.body).toEqual({ username: 'lin', password: ' secret ' });
  });

  it('says that it goes on, and is not sent twice', async () => {
    const answer = service.answersLater(ROUTE);
    render(Login);
    await enter('lin', 'secret');
    expect(button().disabled).toBe(true);
    expect(button().textContent).toBe('Logging in…');
    answer(refusal(401, 'wrong_credentials'));
    await expect.poll(() => button().disabled).toBe(false);
  });

  it('empties a wrong password and stands ready for the next', async () => {
    service.answers(ROUTE, refusal(401, 'wrong_credentials'));
    render(Login);
    await enter('lin', 'wrong');
    await expect.poll(() => said()).toBe('User name or password is not right.');
    expect([password().value, document.activeElement]).toEqual(['', password()]);
    expect(password().getAttribute('aria-invalid')).toBe('true');
  });

  it('tells a service that cannot be reached from a wrong password', async () => {
    render(Login);
    await enter('lin', 'secret');
    await expect.poll(() => said()).toContain('does not answer');
    service.answers(ROUTE, refusal(503, 'storage_failed'));
    await enter('lin', 'secret');
    await expect.poll(() => said()).toContain('cannot reach its data');
  });

  it('shows the password to whoever asks', async () => {
    render(Login);
    await fireEvent.click(screen.getByRole('button', { name: 'Show password' }));
    expect(password().type).toBe('text');
    await fireEvent.click(screen.getByRole('button', { name: 'Hide password' }));
    expect(password().type).toBe('password');
  });
});

describe('after too many tries', () => {
  let stop: () => void;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    stop = clock.start();
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it.each([
    ['as long as the service says', { 'Retry-After': '17' }, 17],
    ['half a minute where it does not say', {}, 30],
  ])('nobody may try for a while: %s', async (_, headers, seconds) => {
    service.answers(ROUTE, refusal(429, 'too_many_attempts', '', headers));
    render(Login);
    await enter('lin', 'wrong');
    await expect.poll(() => said()).toBe(`Too many tries. Please wait ${seconds} seconds.`);
    expect(button().disabled).toBe(true);
    vi.advanceTimersByTime(10_000);
    await tick();
    expect(said()).toBe(`Too many tries. Please wait ${seconds - 10} seconds.`);
    vi.advanceTimersByTime((seconds - 10) * 1000);
    await tick();
    expect([said(), button().disabled]).toEqual(['', false]);
  });
});

describe('whoever comes from a session', () => {
  const leave = (answer: unknown) => {
    service.answers('GET /api/v1/session', USER);
    service.answers('DELETE /api/v1/session', answer);
    return session.check();
  };

  it('is told that it has ended by itself, and nothing where it was left', async () => {
    await leave(undefined);
    service.answers('GET /api/v1/users', refusal(401, 'not_logged_in'));
    await session.api.GET('/api/v1/users').catch(() => undefined);
    const { unmount } = render(Login);
    expect(said()).toBe('Your session has ended. Please log in again.');
    unmount();
    await leave(undefined);
    await session.logOut();
    render(Login);
    expect(said()).toBe('');
  });

  it('is told where the disk did not keep the end', async () => {
    await leave(refusal(503, 'logout_not_kept'));
    await session.logOut();
    render(Login);
    expect(said()).toContain('Close the browser');
  });

  it('has left where the session was over already, and has not where nobody answers', async () => {
    await leave(refusal(401, 'not_logged_in'));
    await session.logOut();
    expect(session.standing).toEqual({ name: 'out', why: 'left' });
    await leave(refusal(503, 'busy'));
    await expect(session.logOut()).rejects.toMatchObject({ status: 503 });
    expect(session.user?.name).toBe('lin');
  });
});
