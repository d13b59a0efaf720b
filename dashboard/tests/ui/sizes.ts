/** A page without a layout tells no sizes: every row is as high as the next, and what scrolls shows ten. */
import { vi } from 'vitest';

const VIEW_PX = 600;
const ROW_PX = 60;

class Sizes {
  constructor(private readonly told: ResizeObserverCallback) {}
  observe(target: Element) {
    const height = target.tagName === 'LI' ? ROW_PX : VIEW_PX;
    const contentRect = { width: VIEW_PX, height } as DOMRectReadOnly;
    queueMicrotask(() => this.told([{ target, contentRect } as ResizeObserverEntry], this));
  }
  unobserve() {}
  disconnect() {}
}

export function giveSizes(): void {
  vi.stubGlobal('ResizeObserver', Sizes);
  Object.defineProperty(HTMLElement.prototype, 'offsetParent', { configurable: true, get: () => document.body });
}
