import { loggedIn, refusal, service } from './page';
import { Line } from './network';
import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../src/App.svelte';
import { text } from '../../src/i18n/text.svelte';
import { prefs } from '../../src/state/prefs.svelte';
import { router } from '../../src/state/router.svelte';
import { session } from '../../src/state/session.svelte';
import type { Health, LiveMessage, Right, UserRole } from '../../src/wire/types';
import { alert, call, event, raised, snapshot } from '../given';

const WATCH: Right[] = ['watch'];
const ALL: Right[] = ['watch', 'decide', 'keys', 'users'];
const HEALTHY: Health = { model: 'large-v3', live_calls: 3, max_calls: 60, backlog: 0.4, level: 'full', troubles: [] };

const pass = async (milliseconds: number) => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await tick();
};
const tell = async (...messages: LiveMessage[]) => {
  for (const message of messages) Line.newest?.tell(message);
  await pass(250);
};
const links = () => within(screen.getByRole('navigation')).getAllByRole('link');
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));
const strip = () => screen.getByRole('status', { name: 'Service health' }).textContent.replace(/\s+/g, ' ');
const alerts = () => screen.getAllByRole('alert').map((each) => each.textContent.replace(/\s+/g, ' ').trim());

/** The whole dashboard of somebody who is logged in. */
async function open(rights: Right[], role: UserRole, path = '/') {
  await loggedIn(rights, role);
  history.replaceState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
  render(App);
  dispatchEvent(new PopStateEvent('popstate')); // it follows the address from now on
  await pass(0);
}
async function watch(messages: LiveMessage[] = [snapshot([])]) {
  Line.newest?.open();
  await tell(...messages);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  service.clear();
  Line.newest = null;
});
afterEach(() => void vi.useRealTimers());

describe('who may see what', () => {
  it.each<[UserRole, Right[], string[]]>([
    ['supervisor', WATCH, ['Live wall', 'Alerts', 'Calls']],
    ['integrator', ['keys'], ['Sources', 'Gateway keys']],
    ['admin', ALL, ['Live wall', 'Alerts', 'Calls', 'Users', 'Sources', 'Gateway keys']],
  ])('the pages of %s', async (role, rights, names) => {
    await open(rights, role);
    expect(links().map((link) => link.textContent.trim())).toEqual(names);
  });

  it('whoever may not watch begins with the keys, and nothing live is asked for', async () => {
    await open(['keys'], 'integrator');
    expect(router.route.page).toBe('keys');
    expect(Line.newest).toBeNull();
    expect(service.asked('GET /api/v1/reference')).toEqual([]);
    expect(screen.queryByRole('status', { name: 'Service health' })).toBeNull();
  });

  it('a page that the role may not see says so, and asks for nothing', async () => {
    await open(WATCH, 'supervisor', '/admin/users');
    expect(screen.getByRole('heading', { name: 'Your role may not see this page.' })).toBeTruthy();
    expect(service.asked('GET /api/v1/users')).toEqual([]);
  });

  it('an address that leads nowhere says so', async () => {
    await open(WATCH, 'supervisor', '/nowhere');
    expect(screen.getByRole('heading', { name: 'There is no such page.' })).toBeTruthy();
  });
});

describe('the session', () => {
  it('is asked for again where nobody answers', async () => {
    history.replaceState(null, '', '/account');
    service.answers('GET /api/v1/session', refusal(401, 'not_logged_in'));
    await session.check();
    service.answers('GET /api/v1/session', refusal(503, 'storage_failed'));
    await session.check();
    render(App);
    expect(screen.getByRole('alert').textContent).toContain('The service does not answer');
    service.answers('GET /api/v1/session', { user: { name: 'lin', role: 'supervisor', rights: WATCH }, csrf: 'token' });
    await press('Try again');
    await pass(0);
    expect(screen.getByRole('navigation')).toBeTruthy();
  });

  it('that has ended leads to the login, and back to the page that was open', async () => {
    await open(ALL, 'admin');
    service.answers('GET /api/v1/users', refusal(401, 'not_logged_in'));
    await fireEvent.click(screen.getByRole('link', { name: 'Users' }));
    await expect.poll(() => alerts()).toEqual(['Your session has ended. Please log in again.']);
    service.answers('POST /api/v1/session', { user: { name: 'lin', role: 'admin', rights: ALL }, csrf: 'new' });
    service.answers('GET /api/v1/users', { users: [] });
    await fireEvent.input(screen.getByLabelText('User name'), { target: { value: 'lin' } });
    await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'secret' } });
    await fireEvent.submit(screen.getByRole('form'));
    await expect.poll(() => screen.getByRole('heading', { name: 'Users' })).toBeTruthy();
  });

  it('is left by the button; where it could not be ended, that is said', async () => {
    await open(WATCH, 'supervisor');
    await press('Log out');
    await pass(0);
    expect(alerts()).toContain('You are still logged in: The service does not answer.');
    service.answers('DELETE /api/v1/session', undefined);
    await press('Log out');
    await pass(0);
    expect(screen.getByRole('form', { name: 'Log in' })).toBeTruthy();
  });
});

describe('the health of the service', () => {
  it('is told once the line is open: load, capacity and what is left out', async () => {
    await open(WATCH, 'supervisor');
    expect(strip()).toContain('Connecting…');
    await watch([snapshot([]), { type: 'health', health: HEALTHY }]);
    expect(strip()).toMatch(/large-v3 Backlog 0\.4 s Capacity 3\/60 Live/);
    await tell({ type: 'health', health: { ...HEALTHY, backlog: 7, level: 'agents_first' } });
    expect(strip()).toContain('Busy: customers’ words wait behind agents’');
    expect(screen.getByText('7.0 s').classList).toContain('late');
  });

  it('warns of each trouble, also of one that this page does not know', async () => {
    await open(WATCH, 'supervisor');
    await watch([snapshot([]), { type: 'health', health: { ...HEALTHY, troubles: ['disk_low', 'flooded'] } }]);
    expect(alerts()[0]).toMatch(/Little room on the disk.*flooded/);
  });

  it('is not known while the line is cut: the picture stands, and the line can be tried at once', async () => {
    await open(WATCH, 'supervisor');
    await watch([snapshot([call('a')])]);
    const first = Line.newest;
    first?.cut();
    await tick();
    expect(alerts()[0]).toContain('Connection lost · The picture stands where the line broke');
    expect(strip()).toMatch(/Connection lost trying again in 1 s/);
    await press('Reconnect now');
    expect(Line.newest).not.toBe(first);
    await watch([snapshot([call('a')])]);
    expect(screen.queryByText(/The picture stands/)).toBeNull();
  });
});

describe('a critical alert', () => {
  const critical = alert('x', { severity: 'critical', title: { zh: '', en: 'Threat' } });

  it('is announced with whose call it is, and counted until somebody has looked at it', async () => {
    await open(WATCH, 'supervisor');
    await watch([snapshot([call('a')], [])]);
    await tell(event('a', 2, raised(critical)));
    expect(alerts()).toContain('Critical alert: Threat, agent A1');
    expect(links()[1]?.textContent.replace(/\s+/g, ' ').trim()).toBe('Alerts 1');
  });

  it('rings where the sound was switched on', async () => {
    const rung = vi.fn();
    const part = () => ({ frequency: {}, connect: (to: unknown) => to, start: rung, stop: vi.fn() });
    const ramp = { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn(), exponentialRampToValueAtTime: vi.fn() };
    class Sound {
      currentTime = 0;
      destination = {};
      createOscillator = part;
      createGain = () => ({ ...part(), gain: ramp });
      close = () => Promise.resolve();
    }
    vi.stubGlobal('AudioContext', Sound);
    await open(WATCH, 'supervisor');
    await watch([snapshot([call('a')], [])]);
    await press('Sound on critical alerts');
    expect(screen.getByRole('button', { name: 'Sound on critical alerts' }).getAttribute('aria-pressed')).toBe('true');
    rung.mockClear();
    await tell(event('a', 2, raised(critical)));
    expect(rung).toHaveBeenCalled();
    await press('Sound on critical alerts');
    rung.mockClear();
    await tell(event('a', 3, raised(alert('y', { severity: 'critical' }))));
    expect(rung).not.toHaveBeenCalled();
  });
});

describe('a link', () => {
  it('changes the page in place, and the focus goes to it', async () => {
    service.answers('GET /api/v1/calls', { calls: [], next: null });
    await open(WATCH, 'supervisor');
    await fireEvent.click(links()[2] as HTMLElement);
    await pass(0);
    expect(location.pathname).toBe('/calls');
    expect(links().map((link) => link.getAttribute('aria-current'))).toEqual([null, null, 'page']);
    expect(document.activeElement).toBe(screen.getByRole('main'));
  });

  it('of a call leaves its list marked', async () => {
    await open(WATCH, 'supervisor', '/calls/a/replay');
    expect(links().map((link) => link.getAttribute('aria-current'))).toEqual([null, null, 'page']);
  });
});

it('language and appearance are chosen on every page, and kept', async () => {
  await open(WATCH, 'supervisor');
  await press('中文');
  expect([document.documentElement.lang, screen.getByRole('button', { name: 'English' }).lang]).toEqual([
    'zh-CN',
    'en',
  ]);
  expect(localStorage.getItem('callwarden.lang')).toBe('zh');
  text.choose('en');
  await tick();
  await press('Appearance: As the system');
  await press('Appearance: Light');
  expect(document.documentElement.dataset['theme']).toBe('dark');
  expect(localStorage.getItem('callwarden.prefs')).toContain('dark');
  prefs.theme = 'system';
});
