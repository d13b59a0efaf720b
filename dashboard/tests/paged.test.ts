import { describe, expect, it } from 'vitest';
import { Paged, whole, type Page } from '../src/state/paged.svelte';
import { ApiError } from '../src/wire/client';

/** A list whose answers are given by hand, in any order. */
function given() {
  const asked: { cursor: string | undefined; answer: (page: Page<string>) => void; refuse: (error: Error) => void }[] =
    [];
  const list = new Paged<string>((cursor) => new Promise((answer, refuse) => asked.push({ cursor, answer, refuse })));
  return { list, asked };
}

describe('a list in pages', () => {
  it('takes the first page, then the next behind it, until there is none', async () => {
    const { list, asked } = given();
    const first = list.load();
    expect(list).toMatchObject({ busy: true, hasMore: false });
    asked[0]?.answer({ items: ['a', 'b'], next: 'b' });
    expect(await first).toBe(true);
    expect(list).toMatchObject({ busy: false, hasMore: true, items: ['a', 'b'] });
    const more = list.more();
    asked[1]?.answer({ items: ['c'], next: null });
    await more;
    expect(asked.map((each) => each.cursor)).toEqual([undefined, 'b']);
    expect(list).toMatchObject({ items: ['a', 'b', 'c'], hasMore: false });
    await list.more();
    expect(asked).toHaveLength(2);
  });

  it('asks once for a page, however often it is wanted', async () => {
    const { list, asked } = given();
    const first = list.load();
    asked[0]?.answer({ items: ['a'], next: 'a' });
    await first;
    const more = [list.more(), list.more()];
    expect(asked).toHaveLength(2);
    asked[1]?.answer({ items: ['b'], next: null });
    await Promise.all(more);
    expect(list.items).toEqual(['a', 'b']);
  });

  it('leaves out an answer that comes after a newer question', async () => {
    const { list, asked } = given();
    const slow = list.load();
    const quick = list.load();
    asked[1]?.answer({ items: ['new'], next: null });
    asked[0]?.answer({ items: ['old'], next: 'old' });
    expect(await quick).toBe(true);
    expect(await slow).toBe(false);
    expect(list).toMatchObject({ items: ['new'], hasMore: false, busy: false });
  });

  it('keeps what it holds where the service refuses, and says so until the next try', async () => {
    const { list, asked } = given();
    const first = list.load();
    asked[0]?.answer({ items: ['a'], next: 'a' });
    await first;
    const more = list.more();
    asked[1]?.refuse(new ApiError(503, 'storage', 'Not now.'));
    await more;
    expect(list).toMatchObject({ items: ['a'], hasMore: true, busy: false, trouble: { status: 503 } });
    const again = list.more();
    expect(list.trouble).toBeNull();
    asked[2]?.answer({ items: ['b'], next: null });
    await again;
    expect(list.items).toEqual(['a', 'b']);
  });

  it('lets other errors through', async () => {
    const { list, asked } = given();
    const first = list.load();
    asked[0]?.refuse(new TypeError('a defect'));
    await expect(first).rejects.toThrow('a defect');
    expect(list.busy).toBe(false);
  });
});

describe('a list that comes whole', () => {
  it('is loaded anew after a change, and not after one that was refused', async () => {
    const held = ['a'];
    const list = whole(() => Promise.resolve([...held]));
    expect(await list.after(() => Promise.resolve(held.push('b')))).toBe(true);
    expect(list.items).toEqual(['a', 'b']);
    held.push('c');
    expect(await list.after(() => Promise.reject(new ApiError(409, 'already_exists', 'Taken.')))).toBe(false);
    expect(list).toMatchObject({ items: ['a', 'b'], trouble: { status: 409 } });
  });

  it('puts a newer value in its place', async () => {
    const list = whole(() => Promise.resolve(['a', 'b']));
    await list.load();
    list.change((item) => item === 'a', 'A');
    expect(list.items).toEqual(['A', 'b']);
  });
});
