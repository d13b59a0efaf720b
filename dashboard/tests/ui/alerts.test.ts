import { drawWith, loggedIn, refusal, service, Watched } from './page';
import { fireEvent, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Alerts from '../../src/features/alerts/Alerts.svelte';
import type { Alert } from '../../src/wire/types';
import { alert, call, event, raised } from '../given';

const LIST = 'GET /api/v1/alerts';
const at = (minute: number, change: Partial<Alert> = {}) =>
  alert(`x${minute}`, {
    raised_at: `2026-03-10T01:0${minute}:00Z`,
    title: { zh: '', en: `Alert ${minute}` },
    ...change,
  });
const page = (alerts: Alert[], next: string | null = null) => ({ alerts, calls: [call('a').call], next });
const titles = () => screen.queryAllByRole('article').map((card) => card.getAttribute('aria-label'));
const button = (name: string) => screen.getByRole('button', { name });
const queries = () => service.asked(LIST).map(({ query }) => query);
const list = () => document.querySelector('.list') as HTMLElement;

let watched: Watched;

/** The page with its first answers, and an open line. */
async function show(fetched: unknown, live: Alert[] = []) {
  service.answers(LIST, fetched);
  await watched.begin([call('a')], live);
  drawWith(watched.live, Alerts, {});
  await watched.pass(0);
}

beforeEach(async () => {
  service.clear();
  await loggedIn(['watch', 'decide']);
  watched = new Watched();
});
afterEach(() => watched.leave());

describe('the alerts', () => {
  it('are those nobody has decided, with whose call it is, and are said to be none where there is none', async () => {
    await show(page([at(1)]));
    expect(titles()).toEqual(['Alert 1']);
    expect(queries()).toEqual(['?state=open&state=acknowledged&limit=50']);
    expect(screen.getByRole('link', { name: 'A1' }).getAttribute('href')).toBe('/calls/a?alert=x1');
  });

  it('are not said to be none where the service does not tell', async () => {
    await show(refusal(503, 'storage_failed'));
    expect(screen.getByRole('alert').textContent).toContain('cannot reach its data');
    expect(screen.queryByText('No alert matches.')).toBeNull();
  });

  it('are chosen by state and severity', async () => {
    await show(page([]));
    expect(screen.getByText('No alert matches.')).toBeTruthy();
    await fireEvent.click(button('Critical'));
    await fireEvent.click(button('Open'));
    await watched.pass(0);
    expect(queries().slice(1)).toEqual([
      '?state=open&state=acknowledged&severity=critical&limit=50',
      '?state=acknowledged&severity=critical&limit=50',
    ]);
    expect(button('Open').getAttribute('aria-pressed')).toBe('false');
  });
});

describe('while they come', () => {
  it('a new one stands on top', async () => {
    await show(page([at(1)]));
    await watched.tell(event('a', 2, raised(at(2))));
    expect(titles()).toEqual(['Alert 2', 'Alert 1']);
  });

  it('nothing slides under a pointer: new ones are counted and wait', async () => {
    await show(page([at(1)]));
    await fireEvent.pointerEnter(list());
    await watched.tell(event('a', 2, raised(at(2))));
    expect(titles()).toEqual(['Alert 1']);
    await fireEvent.click(button('1 new alert'));
    expect(titles()).toEqual(['Alert 2', 'Alert 1']);
  });

  it('nor under the focus, which may move within the list', async () => {
    await show(page([at(1), at(0)]));
    const [first, second] = screen.getAllByRole('article');
    await fireEvent.focusIn(first as HTMLElement);
    await fireEvent.focusOut(first as HTMLElement, { relatedTarget: second });
    await watched.tell(event('a', 2, raised(at(2))));
    expect(titles()).toEqual(['Alert 1', 'Alert 0']);
    await fireEvent.focusOut(second as HTMLElement, { relatedTarget: button('Open') });
    expect(titles()).toEqual(['Alert 2', 'Alert 1', 'Alert 0']);
  });

  it('a further page is no news, wherever the pointer is when it comes', async () => {
    await show(page([at(2)], 'next'));
    const answer = service.answersLater(LIST);
    await fireEvent.click(button('Load more'));
    await fireEvent.pointerEnter(list());
    answer(page([at(1)]));
    await watched.pass(0);
    expect(titles()).toEqual(['Alert 2', 'Alert 1']);
    expect(queries().at(-1)).toContain('cursor=next');
  });
});

describe('a decision', () => {
  const ROUTE = 'PUT /api/v1/alerts/x1/state';

  it('is sent with the state that was seen, and the alert stays where it was until the filter changes', async () => {
    service.answers(ROUTE, at(1, { state: 'dismissed', changed_by: 'lin', changed_at: '2026-03-10T01:05:00Z' }));
    await show(page([at(1)]));
    await fireEvent.click(button('Dismiss'));
    await fireEvent.input(screen.getByRole('textbox'), { target: { value: 'misheard' } });
    await fireEvent.click(button('Submit'));
    await watched.pass(0);
    expect(service.asked(ROUTE)[0]?.body).toEqual({ state: 'dismissed', note: 'misheard', seen: 'open' });
    expect(screen.getByRole('article').textContent).toContain('Dismissed');
    service.answers(LIST, page([]));
    await fireEvent.click(button('High'));
    await watched.pass(0);
    expect(titles()).toEqual([]);
  });

  it('that comes second shows what the first one was', async () => {
    service.answers(ROUTE, refusal(409, 'stale_change'));
    await show(page([at(1)]));
    service.answers(
      LIST,
      page([at(1, { state: 'confirmed', changed_by: 'chen', changed_at: '2026-03-10T01:05:00Z' })]),
    );
    await fireEvent.click(button('Acknowledge'));
    await watched.pass(0);
    expect(screen.getByRole('alert').textContent).toContain('Someone else has just handled this alert');
    expect(screen.getByRole('article').textContent).toMatch(/Confirmed.*chen/s);
  });

  it.each([
    [403, 'Your role may not do this.'],
    [503, 'Not saved. Please try again.'],
  ])('that is refused is told: %s', async (status, told) => {
    service.answers(ROUTE, refusal(status, 'no'));
    await show(page([at(1)]));
    await fireEvent.click(button('Acknowledge'));
    await watched.pass(0);
    expect(screen.getByRole('alert').textContent).toBe(told);
  });
});

it('J and K go from alert to alert, but not while somebody writes', async () => {
  await show(page([at(2), at(1)]));
  const [first, second] = screen.getAllByRole('article');
  await fireEvent.keyDown(window, { key: 'j' });
  expect(document.activeElement).toBe(first);
  await fireEvent.keyDown(window, { key: 'J' });
  await fireEvent.keyDown(window, { key: 'j' });
  expect(document.activeElement).toBe(second);
  await fireEvent.keyDown(second as HTMLElement, { key: 'c' });
  await fireEvent.keyDown(screen.getByRole('textbox'), { key: 'k' });
  expect(document.activeElement).toBe(screen.getByRole('textbox'));
});
