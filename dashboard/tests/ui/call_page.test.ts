import { drawWith, loggedIn, refusal, service, Watched } from './page';
import { giveSizes } from './sizes';
import { fireEvent, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import CallPage from '../../src/features/call/CallPage.svelte';
import { alert, call, decided, event, levels, raised, record, said, utterance } from '../given';

const ROUTE = 'GET /api/v1/calls/a';
const at = (second: number) => event('a', second, said(`agent-${second}`, second));

let watched: Watched;

/** The page of the call `a`, once the service has answered. */
async function show(answer: unknown, asked: string | null = null) {
  service.answers(ROUTE, answer);
  await watched.begin([call('a')]);
  drawWith(watched.live, CallPage, { id: 'a', alert: asked });
  await watched.pass(0);
}
const talk = () => screen.getByRole('region', { name: 'Conversation' });
const button = (name: string) => screen.queryByRole('button', { name });

const VIEW_PX = 600;
/** How long the conversation is. */
let length: number;
Object.defineProperties(HTMLElement.prototype, {
  scrollHeight: { configurable: true, get: () => length },
  clientHeight: { configurable: true, get: () => VIEW_PX },
});

/** The reader scrolls the conversation up, to somewhere before what was said last. */
async function scrollUp() {
  length = 3_000;
  await fireEvent.scroll(talk());
}

beforeEach(async () => {
  giveSizes();
  length = VIEW_PX;
  service.clear();
  await loggedIn(['watch', 'decide']);
  watched = new Watched();
});
afterEach(() => watched.leave());

describe('a call that is not there', () => {
  it('is loading, or is none', async () => {
    const answer = service.answersLater(ROUTE);
    drawWith(watched.live, CallPage, { id: 'a', alert: null });
    expect(screen.getByRole('status').textContent).toBe('Loading…');
    answer(refusal(404, 'not_found'));
    await watched.pass(0);
    expect(screen.getByRole('status').textContent).toBe('There is no such call.');
    expect(button('Try again')).toBeNull();
  });

  it('is asked for again by whoever wants it', async () => {
    await show(refusal(503, 'storage_failed'));
    expect(screen.getByRole('alert').textContent).toContain('cannot reach its data');
    service.answers(ROUTE, record());
    await fireEvent.click(button('Try again') as HTMLElement);
    await watched.pass(0);
    expect(screen.getByRole('heading', { name: 'A1' })).toBeTruthy();
  });
});

describe('a live call', () => {
  it('is listened to until something is said, which is read aloud', async () => {
    await show(record());
    expect(screen.getByText('Listening. What is said will appear here.')).toBeTruthy();
    await watched.tell(at(2));
    expect(screen.queryByText(/^Listening/)).toBeNull();
    expect(screen.getByRole('log').textContent.trim()).toBe('Agent: 你好');
    expect(await screen.findByRole('listitem')).toBeTruthy();
  });

  it('shows who speaks, and the words while they go on', async () => {
    await show(record());
    await watched.tell(levels('a', 3, ['customer']));
    expect(screen.getByText(/^Customer\s+speaking/)).toBeTruthy();
    await watched.tell({ type: 'partial', call_id: 'a', role: 'agent', start: 4, text: '您好我是' });
    expect(screen.getByText('您好我是…')).toBeTruthy();
    await watched.tell(event('a', 2, said('agent-4', 4)));
    expect(screen.queryByText('您好我是…')).toBeNull();
  });

  it('is named by its id where no agent is known', async () => {
    const nameless = call('a');
    nameless.call.agent = '';
    await show(record({ summary: nameless }));
    await expect.poll(() => document.title).toBe('a · Callwarden');
  });

  it('asks for what the live feed has left out', async () => {
    const MISSED = 'GET /api/v1/calls/a/events';
    service.answers(MISSED, { events: [at(2), at(3)] });
    await show(record());
    await watched.tell(at(4));
    await watched.pass(0);
    expect(service.asked(MISSED)[0]?.query).toBe('?after=1');
    expect((await screen.findAllByRole('listitem'))[0]?.getAttribute('aria-setsize')).toBe('3');
  });
});

describe('the conversation', () => {
  it('is followed to its end, until it is scrolled up; then new lines are counted', async () => {
    await show(record({ utterances: [utterance('agent-1', 1)] }));
    expect(button('Jump to now')).toBeNull();
    await scrollUp();
    expect(button('Jump to now')).not.toBeNull();
    await watched.tell(at(2), at(3));
    const scrolled = vi.spyOn(talk(), 'scrollTo');
    await fireEvent.click(button('2 new lines') as HTMLElement);
    expect(scrolled).toHaveBeenCalledWith({ top: 3_000 });
    expect(screen.queryByRole('button', { name: /Jump|new line/ })).toBeNull();
  });

  it('opens at the alert that the address names, and is followed again once it is asked for', async () => {
    length = 3_000;
    const broken = alert('x', { utterance_id: 'agent-1', title: { zh: '', en: 'Threat' } });
    await show(record({ utterances: [utterance('agent-1', 1), utterance('agent-2', 9)], alerts: [broken] }), 'x');
    expect(screen.getByRole('article', { name: 'Threat' }).classList).toContain('chosen');
    expect(button('Jump to now')).not.toBeNull();
    const scrolled = vi.spyOn(talk(), 'scrollTo');
    await fireEvent.click(button('Jump to now') as HTMLElement);
    length = 4_000;
    await watched.tell(event('a', 2, said('agent-3', 12)));
    expect(scrolled).toHaveBeenCalledWith({ top: 4_000 });
  });

  it('is followed where the address names an alert without words, or one that is not there', async () => {
    const missed = alert('x', { utterance_id: null, kind: 'duty_missing', quote: '' });
    await show(record({ utterances: [utterance('agent-1', 1)], alerts: [missed] }), 'x');
    expect(button('Jump to now')).toBeNull();
  });
});

describe('its alerts', () => {
  it('stand newest first, and follow what others decide', async () => {
    await show(record());
    expect(screen.getByText('No rule has been broken so far.')).toBeTruthy();
    const later = '2026-03-10T09:00:30+08:00';
    await watched.tell(
      event('a', 2, raised(alert('1', { title: { zh: '', en: 'First' } }))),
      event('a', 3, raised(alert('2', { title: { zh: '', en: 'Second' }, raised_at: later }))),
      event('a', 4, decided('1')),
    );
    const cards = screen.getAllByRole('article');
    expect(cards.map((card) => card.getAttribute('aria-label'))).toEqual(['Second', 'First']);
    expect(cards[1]?.textContent).toMatch(/Dismissed.*chen/s);
  });

  it('are decided here, for the wall too', async () => {
    service.answers('PUT /api/v1/alerts/x/state', alert('x', { state: 'acknowledged', changed_by: 'lin' }));
    await show(record({ alerts: [alert('x')] }));
    await fireEvent.click(button('Acknowledge') as HTMLElement);
    await watched.pass(0);
    expect(screen.getByRole('article').textContent).toContain('Acknowledged');
    expect(watched.live.state.alerts['x']?.state).toBe('acknowledged');
  });
});

it('an ended call leads to its replay, and waits for nothing', async () => {
  await show(record({ summary: call('a', { state: 'ended', duration: 70 }) }));
  expect(screen.getByText('No speech was recognised in this call.')).toBeTruthy();
  expect(screen.getByText('1:10')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Replay' }).getAttribute('href')).toBe('/calls/a/replay');
  await scrollUp();
  expect(button('Jump to now')).toBeNull();
});
