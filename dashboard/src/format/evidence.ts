/** Where in the recording the words of an alert or a finding were said. */
import type { Alert, Finding, Utterance } from '../wire/types';

/** Without marks and spaces, which words may lack. */
const letters = (said: string) => said.replace(/[\s\p{P}]/gu, '').length;

/** Where to listen: a duty counts as missed at the end of its window, or from the words that asked for it. */
export const listenFrom = ({ kind, lead, start, end }: Alert | Finding) =>
  kind === 'duty_missing' && lead === '' ? end : start;

/** Whether anything that was said stands for it: a missed duty has the words that asked for it, if any. */
export const hasWords = ({ quote, lead }: Alert | Finding) => quote !== '' || lead !== '';

/**
 * The alert or finding, its span narrowed to the very words of its quote where their times are known: they are asked
 * for once an utterance has a finding, and come after the alert.
 */
export function toTheWord<E extends Alert | Finding>(evidence: E, utterances: readonly Utterance[]): E {
  const said = utterances.find((utterance) => utterance.id === evidence.utterance_id);
  const place = said === undefined || evidence.quote === '' ? -1 : said.text.indexOf(evidence.quote);
  if (said === undefined || place < 0) return evidence;
  const from = letters(said.text.slice(0, place));
  const to = from + letters(evidence.quote);
  let reach = 0;
  const quoted = said.words.filter((word) => {
    const begin = reach;
    reach += letters(word.text);
    return begin < to && reach > from;
  });
  const [first, last] = [quoted[0], quoted[quoted.length - 1]];
  return first === undefined || last === undefined ? evidence : { ...evidence, start: first.start, end: last.end };
}
