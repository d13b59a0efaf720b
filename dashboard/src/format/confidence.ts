/** How sure a rule is, as people say it. */

export type Confidence = 'sure' | 'fair' | 'ear';

/** In per cent. Most patterns of the packs stand at 85 and above; words restored by their sound come below 70. */
const SURE = 85;
const FAIR = 70;

const share = (score: number) => Math.round(score * 100);

/** In words, of the share as it is shown: 84.6 % reads 85 %, and is called that. */
export function confidence(score: number): Confidence {
  const shown = share(score);
  return shown >= SURE ? 'sure' : shown >= FAIR ? 'fair' : 'ear';
}

/** `93%`. */
export const percent = (score: number) => `${share(score)}%`;
