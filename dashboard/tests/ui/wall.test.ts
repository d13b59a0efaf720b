import { drawWith, loggedIn, service, Watched } from './page';
import { fireEvent, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Wall from '../../src/features/wall/Wall.svelte';
import { clock } from '../../src/state/clock.svelte';
import { prefs } from '../../src/state/prefs.svelte';
import { alert, call, event, levels, raised } from '../given';

const A_WHILE = 3_500;
const agents = () => screen.queryAllByRole('article').map((card) => card.querySelector('h2')?.textContent.trim());
const named = (id: string, change: object = {}) => call(id, { call: { ...call(id).call, agent: id }, ...change });
const grid = () => document.querySelector('ul.grid') as HTMLElement;

let watched: Watched;
let stop: () => void;

beforeEach(async () => {
  service.clear();
  await loggedIn(['watch', 'keys']);
  watched = new Watched();
  stop = clock.start();
});
afterEach(() => {
  stop();
  watched.leave();
});

describe('the wall', () => {
  it('says that it connects, then that the line is lost, then shows how a gateway connects', async () => {
    drawWith(watched.live, Wall, {});
    expect(screen.getByText('Connecting…')).toBeTruthy();
    await watched.cut();
    expect(screen.getByText('Connection lost')).toBeTruthy();
    await watched.pass(1_000);
    await watched.begin();
    expect(screen.getByRole('heading', { name: 'No calls right now' })).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Gateway keys' }).getAttribute('href')).toBe('/admin/keys');
    expect(screen.getByText(/^ws:\/\/.*\/v1\/stream$/)).toBeTruthy();
  });

  it('counts, and says in the title how many critical alerts wait', async () => {
    const critical = alert('x', { severity: 'critical', call_id: 'a', title: { zh: '', en: 'Threat' } });
    await watched.begin([named('a', { alerts: { critical: 1 } }), named('b', { gaps: 1 })], [critical]);
    drawWith(watched.live, Wall, {});
    const counts = [...document.querySelectorAll('.counts dd')].map((each) => each.textContent);
    expect(counts).toEqual(['2', '1', '1', '1', '1']);
    await expect.poll(() => document.title).toBe('(1) Live wall · Callwarden');
    expect(screen.getAllByRole('article')[0]?.querySelector('.newest')?.textContent).toBe('Threat');
  });

  it('is narrowed to the calls looked for, or those with alerts, and says where there is none', async () => {
    await watched.begin([named('wu'), named('chen', { alerts: { high: 1 } })]);
    drawWith(watched.live, Wall, {});
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'WU' } });
    expect(agents()).toEqual(['wu']);
    await fireEvent.click(screen.getByRole('button', { name: 'Flagged only' }));
    expect(screen.getByText('No call matches the filter.')).toBeTruthy();
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: '' } });
    expect(agents()).toEqual(['chen']);
  });

  it('has cards of the size that a person chooses', async () => {
    await watched.begin([named('a')]);
    drawWith(watched.live, Wall, {});
    await fireEvent.click(screen.getByRole('button', { name: 'L' }));
    expect([...grid().classList]).toContain('large');
    prefs.density = 'auto';
  });
});

describe('its order', () => {
  const rising = () => watched.tell(event('b', 2, raised(alert('x', { call_id: 'b' })), named('b', { risk: 60 })));

  beforeEach(async () => {
    await watched.begin([named('a', { risk: 20 }), named('b', { risk: 0 })]);
  });

  it('follows the risk', async () => {
    drawWith(watched.live, Wall, {});
    await rising();
    expect(agents()).toEqual(['a', 'b']);
    await watched.pass(A_WHILE);
    expect(agents()).toEqual(['b', 'a']);
  });

  it('stands while a pointer is on the cards, and is said to', async () => {
    drawWith(watched.live, Wall, {});
    await fireEvent.pointerEnter(grid());
    await rising();
    await watched.pass(A_WHILE);
    expect(agents()).toEqual(['a', 'b']);
    expect(screen.getByTitle(/Cards do not move/).classList).toContain('on');
    await fireEvent.pointerLeave(grid());
    await watched.pass(A_WHILE);
    expect(agents()).toEqual(['b', 'a']);
  });

  it('stands while the focus is on them, wherever in them it goes', async () => {
    drawWith(watched.live, Wall, {});
    const [first, second] = screen.getAllByRole('link', { name: /^Agent/ });
    await fireEvent.focusIn(first as HTMLElement);
    await fireEvent.focusOut(first as HTMLElement, { relatedTarget: second });
    expect(watched.live.wall.held).toBe(true);
    await fireEvent.focusOut(second as HTMLElement, { relatedTarget: screen.getByRole('searchbox') });
    expect(watched.live.wall.held).toBe(false);
  });

  it('is free again once the cards are left by a click on one of them', async () => {
    const { unmount } = drawWith(watched.live, Wall, {});
    await fireEvent.pointerEnter(grid());
    unmount();
    expect(watched.live.wall.held).toBe(false);
  });

  it('and where a filter takes all of them away', async () => {
    drawWith(watched.live, Wall, {});
    await fireEvent.pointerEnter(grid());
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'nobody' } });
    expect(watched.live.wall.held).toBe(false);
  });
});

it('a line that is cut is not told as calls without sound', async () => {
  await watched.begin([named('a')]);
  drawWith(watched.live, Wall, {});
  await watched.tell(levels('a', 20));
  await watched.pass(10_000);
  expect(screen.getByText(/^no audio for/)).toBeTruthy();
  await watched.tell(levels('a', 21));
  await watched.cut();
  await watched.pass(400); // not yet again
  expect(screen.queryByText(/^no audio for/)).toBeNull();
});

describe('the newest alerts', () => {
  it('are those that wait for anybody, with whose call it is and the way to it', async () => {
    const at = (minute: number) => `2026-03-10T01:0${minute}:00Z`;
    const older = alert('1', { raised_at: at(1), title: { zh: '', en: 'Older' }, quote: '老赖' });
    const newer = alert('2', { raised_at: at(2), title: { zh: '', en: 'Newer' }, quote: '', kind: 'duty_missing' });
    await watched.begin([named('a')], [older, newer, alert('3', { state: 'acknowledged' })]);
    drawWith(watched.live, Wall, {});
    const feed = screen.getByRole('complementary', { name: 'Newest alerts' });
    const items = [...feed.querySelectorAll('li')].map((item) => item.textContent.replace(/\s+/g, ' '));
    expect(items).toHaveLength(2);
    expect(items[0]).toMatch(/a.*Newer/);
    expect(items[1]).toMatch(/Older.*老赖/);
    expect(feed.querySelector('li a')?.getAttribute('href')).toBe('/calls/a?alert=2');
  });

  it('are said to be none', async () => {
    await watched.begin([named('a')]);
    drawWith(watched.live, Wall, {});
    expect(screen.getByText('No alert waits for anyone.')).toBeTruthy();
  });
});
