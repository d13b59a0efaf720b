import { href, parse, type Route } from './route';

class Router {
  #route = $state.raw<Route>(parse(location.pathname, location.search));

  get route(): Route {
    return this.#route;
  }

  /** Starts following the browser's address and plain clicks on our own links, until the returned end is called. */
  start(): () => void {
    const scope = new AbortController();
    const { signal } = scope;
    window.addEventListener('popstate', () => this.#read(), { signal });
    document.addEventListener('click', (event) => this.#clicked(event), { signal });
    return () => scope.abort();
  }

  go(route: Route): void {
    history.pushState(null, '', href(route));
    this.#read();
  }

  /** Changes the address without a step in the history: a place in a recording, a filter. */
  replace(route: Route): void {
    history.replaceState(null, '', href(route));
    this.#route = route;
  }

  #read(): void {
    this.#route = parse(location.pathname, location.search);
  }

  #clicked(event: MouseEvent): void {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!plain || event.defaultPrevented || link === null || link.target !== '' || link.origin !== location.origin)
      return;
    if (link.hasAttribute('download') || link.getAttribute('href')?.startsWith('#') === true) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    this.#read();
  }
}

export const router = new Router();
