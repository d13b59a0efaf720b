/** Where in the recording an alert's words were said. */
import type { Alert, Utterance } from '../wire/types';

/** Without marks and spaces, which words may lack. */
const letters = (said: string) => said.replace(/[\s\p{P}]/gu, '').length;

/**
 * The alert, its span narrowed to the very words of its quote where their times are known: they are asked for once an
 * utterance has a finding, and come after the alert.
 */
export function toTheWord(alert: Alert, utterances: readonly Utterance[]): Alert {
  const said = utterances.find((utterance) => utterance.id === alert.utterance_id);
  const place = said === undefined || alert.quote === '' ? -1 : said.text.indexOf(alert.quote);
  if (said === undefined || place < 0) return alert;
  const from = letters(said.text.slice(0, place));
  const to = from + letters(alert.quote);
  let reach = 0;
  const quoted = said.words.filter((word) => {
    const begin = reach;
    reach += letters(word.text);
    return begin < to && reach > from;
  });
  const [first, last] = [quoted[0], quoted[quoted.length - 1]];
  return first === undefined || last === undefined ? alert : { ...alert, start: first.start, end: last.end };
}
