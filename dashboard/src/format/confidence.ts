/** How sure a rule is, as people say it. */

export type Confidence = 'sure' | 'fair' | 'ear';

/** In per cent. By meaning alone nothing is told below 87; what comes below 85 is a pattern with a doubtful meaning, or a
    word restored by its sound. */
const SURE = 95;
const FAIR = 85;

const share = (score: number) => Math.round(score * 100);

/** In words, of the share as it is shown: 84.6 % reads 85 %, and is called that. */
export function confidence(score: number): Confidence {
  const shown = share(score);
  return shown >= SURE ? 'sure' : shown >= FAIR ? 'fair' : 'ear';
}

/** `93%`. */
export const percent = (score: number) => `${share(score)}%`;
