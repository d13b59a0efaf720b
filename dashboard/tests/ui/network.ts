/** The network, doubled in this one place. The client takes the browser's as it is made: import this before it. */
import { vi } from 'vitest';

export interface Asked {
  /** `GET /api/v1/calls` */
  readonly route: string;
  readonly query: string;
  readonly body: unknown;
}

/** The service: answers each route with what it is given. */
class Service {
  readonly #asked: Asked[] = [];
  readonly #answers = new Map<string, (Response | Promise<Response>)[]>();

  /** What came of one route, oldest first. */
  asked(route: string): readonly Asked[] {
    return this.#asked.filter((each) => each.route === route);
  }

  /** In their order, the last for all that follows. A route without any meets no network. */
  answers(route: string, ...bodies: unknown[]): void {
    this.#answers.set(route, bodies.map(json));
  }

  /** The route's answer comes when the returned function is called with it. */
  answersLater(route: string): (body: unknown) => void {
    let answer: (response: Response) => void = () => undefined;
    this.#answers.set(route, [new Promise<Response>((resolve) => (answer = resolve))]);
    return (body) => answer(json(body));
  }

  clear(): void {
    this.#asked.length = 0;
    this.#answers.clear();
  }

  async answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const route = `${request.method} ${pathname}`;
    const sent = await request.text();
    this.#asked.push({ route, query: search, body: sent === '' ? null : JSON.parse(sent) });
    const given = this.#answers.get(route) ?? [];
    const next = given.length > 1 ? given.shift() : given[0];
    if (next === undefined) throw new TypeError(`nobody answers ${route}`);
    return (await next).clone();
  }
}

function json(body: unknown): Response {
  if (body instanceof Response) return body;
  return body === undefined ? new Response(null, { status: 204 }) : new Response(JSON.stringify(body));
}

/** The service's no. */
export function refusal(status: number, code: string, message = '', headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ error: { code, message, field: null } }), { status, headers });
}

/** The live feed's connection, from the side of the service. */
export class Line extends EventTarget {
  static readonly OPEN = 1;
  static newest: Line | null = null;
  readyState = 0;

  constructor(readonly url: string) {
    super();
    Line.newest = this;
  }

  send(_text: string): void {
    // What the dashboard asks for is tested in socket.test.ts.
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = Line.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  tell(message: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  cut(): void {
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent('close'));
  }
}

export const service = new Service();
vi.stubGlobal('fetch', (request: Request) => service.answer(request));
vi.stubGlobal('WebSocket', Line);
