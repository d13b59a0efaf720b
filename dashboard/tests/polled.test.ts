// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Polled } from '../src/state/polled.svelte';
import { ApiError } from '../src/wire/client';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('what is asked for again and again', () => {
  it('holds the last answer and why there was none, and goes on', async () => {
    const ask = vi.fn<() => Promise<number>>();
    ask
      .mockResolvedValueOnce(1)
      .mockRejectedValueOnce(new ApiError(0, 'offline', ''))
      .mockResolvedValueOnce(2);
    const polled = new Polled(ask, 100);
    const end = polled.start();
    await vi.advanceTimersByTimeAsync(50);
    expect([polled.value, polled.trouble]).toEqual([1, null]);
    await vi.advanceTimersByTimeAsync(100);
    expect([polled.value, polled.trouble?.code]).toEqual([1, 'offline']);
    await vi.advanceTimersByTimeAsync(100);
    expect([polled.value, polled.trouble]).toEqual([2, null]);
    end();
    await vi.advanceTimersByTimeAsync(1000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('asks no second time before the first answer has come', async () => {
    const ask = vi.fn(() => new Promise<number>(() => {}));
    const end = new Polled(ask, 100).start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(ask).toHaveBeenCalledOnce();
    end();
  });

  it('asks nothing while nobody looks', async () => {
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    const ask = vi.fn(() => Promise.resolve(1));
    const end = new Polled(ask, 100).start();
    await vi.advanceTimersByTimeAsync(250);
    expect(ask).not.toHaveBeenCalled();
    hidden.mockReturnValue(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(ask).toHaveBeenCalledOnce();
    end();
  });
});
