import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcements } from '../src/state/announcements.svelte';
import { Missed } from '../src/state/missed';
import { WallOrder } from '../src/state/wall.svelte';
import { People } from '../src/state/people.svelte';
import { Listeners, Picture } from '../src/state/live.svelte';
import { createApi } from '../src/wire/client';
import { alert, call, event, said, snapshot } from './given';

/** The service, answering every request with what is given. */
function service(...answers: unknown[]) {
  const asked: string[] = [];
  const fetch = (request: Request) => {
    asked.push(new URL(request.url).pathname);
    const answer = answers.shift();
    return Promise.resolve(
      answer === undefined ? new Response(null, { status: 503 }) : new Response(JSON.stringify(answer)),
    );
  };
  const hooks = { csrf: () => '', onExpired: () => undefined };
  return { asked, api: createApi(hooks, { baseUrl: 'http://service', fetch }) };
}

describe('the picture', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is drawn once for all messages of a moment', () => {
    const drawn = vi.fn();
    const picture = new Picture(drawn);
    picture.take(snapshot([call('a')]));
    picture.take(event('a', 2, said('agent-0', 1)));
    expect(picture.state.stale).toBe(true);
    vi.runAllTimers();
    expect(drawn).toHaveBeenCalledTimes(1);
    expect(picture.state.seqs).toEqual({ a: 2 });
  });

  it('is not drawn any more once it has stopped', () => {
    const drawn = vi.fn();
    const picture = new Picture(drawn);
    picture.take(snapshot([]));
    picture.stop();
    vi.runAllTimers();
    expect(drawn).not.toHaveBeenCalled();
  });
});

describe('the order of the wall', () => {
  const calls = { a: call('a'), b: call('b', { state: 'ended' }) };
  const LATER = 60_000;

  it('lets ended calls go when they have stood long enough, but not from under a pointer', () => {
    const order = new WallOrder();
    order.take(calls, 0);
    expect(order.leave(1_000)).toEqual(new Set());
    order.hold(true);
    expect(order.leave(LATER)).toEqual(new Set());
    order.hold(false);
    expect(order.leave(LATER)).toEqual(new Set(['b']));
    expect(order.leave(LATER)).toEqual(new Set());
  });

  it('forgets the end of a call that was resumed', () => {
    const order = new WallOrder();
    order.take(calls, 0);
    order.take({ ...calls, b: call('b') }, 1_000);
    expect(order.leave(LATER)).toEqual(new Set());
  });

  it('puts the riskiest first, unless it is held', () => {
    const order = new WallOrder();
    order.take({ a: call('a') }, 0);
    const risky = { a: call('a'), c: call('c', { risk: 80 }) };
    order.take(risky, 0);
    expect(order.ids).toEqual(['a', 'c']);
    order.hold(true);
    order.arrange(risky);
    expect(order.ids).toEqual(['a', 'c']);
    order.hold(false);
    order.arrange(risky);
    expect(order.ids).toEqual(['c', 'a']);
  });
});

describe('announcements', () => {
  it('are of critical alerts that came after the first picture, each once', () => {
    const told = new Announcements();
    const old = alert('old', { severity: 'critical' });
    const fresh = alert('fresh', { severity: 'critical' });
    told.take([old]);
    expect(told.urgent).toBeNull();
    told.take([old, alert('high', { severity: 'high' }), alert('done', { severity: 'critical', state: 'confirmed' })]);
    expect(told.urgent).toBeNull();
    told.take([old, fresh]);
    expect(told.urgent).toBe(fresh);
  });
});

describe('listeners', () => {
  it('hear the events of their call until they leave', () => {
    const listeners = new Listeners();
    const heard = vi.fn();
    const leave = listeners.add('a', heard);
    listeners.tell([event('a', 2, said('agent-0', 1)), event('b', 2, said('agent-0', 1)), snapshot([])]);
    expect(heard).toHaveBeenCalledTimes(1);
    leave();
    listeners.tell([event('a', 3, said('agent-1', 2))]);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe('missed events', () => {
  it('are asked for once at a time, and again after a refusal', async () => {
    const { asked, api } = service(undefined, { events: [event('a', 3, said('agent-0', 1))] });
    const came = vi.fn();
    const missed = new Missed(api, came);
    await Promise.all([missed.ask('a', 2), missed.ask('a', 2)]);
    expect(asked).toHaveLength(1);
    await missed.ask('a', 2);
    expect(came).toHaveBeenCalledTimes(1);
  });
});

describe('whose call it is', () => {
  it('is learnt from calls seen, and asked for all at once where an alert outlived its call', async () => {
    const { asked, api } = service({ alerts: [], next: null, calls: [call('b').call, call('c').call] });
    const people = new People(api);
    people.learn([call('a').call]);
    people.want(['a']);
    expect(asked).toEqual([]);
    people.want(['a', 'b', 'c', 'gone']);
    await vi.waitFor(() => expect(people.of('c')?.agent).toBe('A1'));
    people.want(['b', 'gone']);
    expect(asked).toEqual(['/api/v1/alerts']);
  });
});
