/** Where in a text the rules broke. */
import type { Alert, Finding } from '../wire/types';
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

export interface Sentence {
  readonly before: string;
  readonly telling: string;
  readonly after: string;
}

/** Characters of a sentence that stand before its telling words where there is little room: about a line. */
const SHORT = 16;

/**
 * The sentence that was said, about the words that tell; null where none is known. `short`: its beginning is left out
 * where the telling words would come late, so that whoever reads three lines of it reads them.
 */
export function sentence({ sentence: said, quote }: Alert | Finding, short = false): Sentence | null {
  if (said === '' || quote === '') return null;
  const { from, to } = locate(said, quote);
  const before = said.slice(0, from);
  return {
    before: short && before.length > 2 * SHORT ? `…${before.slice(-SHORT)}` : before,
    telling: said.slice(from, to),
    after: said.slice(to),
  };
}

function locate(text: string, quote: string): { from: number; to: number } {
  const from = text.indexOf(quote);
  return from < 0 ? { from: 0, to: text.length } : { from, to: from + quote.length };
}
