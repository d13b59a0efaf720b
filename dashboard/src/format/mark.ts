/** Where in a text the rules broke. */
import type { Alert } from '../wire/types';
import { SEVERITIES } from '../wire/types';

export interface Piece {
  readonly text: string;
  /** The alerts whose quote covers this piece, worst first; empty for plain text. */
  readonly alerts: readonly Alert[];
}

const worst = (a: Alert, b: Alert) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);

/**
 * Cuts `text` at the ends of every alert's quote. A quote that is not found word for word (recognition corrected
 * itself since, or the rule quotes more than one utterance) covers the whole text: the mark must not get lost.
 * Alerts without a quote (a duty missed, a timing rule) mark nothing.
 */
export function pieces(text: string, alerts: readonly Alert[]): readonly Piece[] {
  const spans = alerts.filter((alert) => alert.quote !== '').map((alert) => ({ alert, ...locate(text, alert.quote) }));
  const cuts = [...new Set([0, text.length, ...spans.flatMap((span) => [span.from, span.to])])].sort((a, b) => a - b);
  const made = cuts.slice(0, -1).map((from, index) => {
    const to = cuts[index + 1] ?? text.length;
    const covering = spans.filter((span) => span.from <= from && span.to >= to).map((span) => span.alert);
    return { text: text.slice(from, to), alerts: covering.sort(worst) };
  });
  return made.filter((piece) => piece.text !== '');
}

function locate(text: string, quote: string): { from: number; to: number } {
  const from = text.indexOf(quote);
  return from < 0 ? { from: 0, to: text.length } : { from, to: from + quote.length };
}
