/** Addresses of pages, both ways. Pure. */
export type Route =
  | { page: 'wall' }
  | { page: 'alerts' }
  | { page: 'calls' }
  | { page: 'call'; id: string; alert: string | null }
  | { page: 'replay'; id: string; at: number | null }
  | { page: 'users' }
  | { page: 'sources' }
  | { page: 'source'; name: string }
  | { page: 'keys' }
  | { page: 'webhooks' }
  | { page: 'account' }
  | { page: 'missing' };

export function parse(path: string, search: string): Route {
  const [first = '', second, third, ...more] = path.split('/').filter((part) => part !== '');
  if (more.length > 0) return { page: 'missing' };
  if (first === 'calls' && second !== undefined) return oneCall(decoded(second), third, search);
  if (first === 'admin') return adminPage(second, third);
  if (second !== undefined) return { page: 'missing' };
  switch (first) {
    case '':
      return { page: 'wall' };
    case 'alerts':
    case 'calls':
    case 'account':
      return { page: first };
    default:
      return { page: 'missing' };
  }
}

function adminPage(name: string | undefined, one: string | undefined): Route {
  if (one !== undefined) return name === 'sources' ? oneSource(decoded(one)) : { page: 'missing' };
  return name === 'users' || name === 'sources' || name === 'keys' || name === 'webhooks'
    ? { page: name }
    : { page: 'missing' };
}

function oneSource(name: string | null): Route {
  return name === null ? { page: 'missing' } : { page: 'source', name };
}

/** A hand-typed address may hold a broken escape; then it names nothing. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function oneCall(id: string | null, view: string | undefined, search: string): Route {
  if (id === null) return { page: 'missing' };
  const params = new URLSearchParams(search);
  if (view === undefined) return { page: 'call', id, alert: params.get('alert') };
  if (view !== 'replay') return { page: 'missing' };
  const at = Number.parseFloat(params.get('t') ?? '');
  return { page: 'replay', id, at: Number.isFinite(at) ? at : null };
}

export function href(route: Route): string {
  switch (route.page) {
    case 'wall':
      return '/';
    case 'call':
      return `/calls/${encodeURIComponent(route.id)}${route.alert === null ? '' : `?alert=${encodeURIComponent(route.alert)}`}`;
    case 'replay':
      return `/calls/${encodeURIComponent(route.id)}/replay${route.at === null ? '' : `?t=${route.at.toFixed(1)}`}`;
    case 'source':
      return `/admin/sources/${encodeURIComponent(route.name)}`;
    case 'users':
    case 'sources':
    case 'keys':
    case 'webhooks':
      return `/admin/${route.page}`;
    case 'alerts':
    case 'calls':
    case 'account':
      return `/${route.page}`;
    case 'missing':
      return '/';
    default:
      return route satisfies never;
  }
}
