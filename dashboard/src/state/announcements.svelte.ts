/** The critical alert to say aloud: each once, also after a reconnection. */
import type { Alert } from '../wire/types';

export class Announcements {
  #urgent = $state.raw<Alert | null>(null);
  /** Ids of alerts seen; null until the first picture, whose alerts are no news. */
  #known: ReadonlySet<string> | null = null;

  /** The newest critical alert nobody on this screen has been told of. */
  get urgent(): Alert | null {
    return this.#urgent;
  }

  take(alerts: readonly Alert[]): void {
    const known = this.#known;
    this.#known = new Set(alerts.map((alert) => alert.id));
    if (known === null) return;
    const fresh = alerts.filter((a) => a.severity === 'critical' && a.state === 'open' && !known.has(a.id));
    fresh.sort((a, b) => a.raised_at.localeCompare(b.raised_at));
    this.#urgent = fresh.at(-1) ?? this.#urgent;
  }
}
