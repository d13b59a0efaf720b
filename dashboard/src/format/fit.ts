/** How large the wall's cards may be so that all of them are seen at once. */
export type CardSize = 'compact' | 'normal' | 'large' | 'huge';

/** Least width and usual height in rem, as the wall's style sheet draws them; largest first. */
const SIZES: readonly { size: CardSize; width: number; height: number }[] = [
  { size: 'huge', width: 36, height: 21 },
  { size: 'large', width: 27, height: 16.5 },
  { size: 'normal', width: 19.5, height: 14 },
];

/** The largest size at which `count` cards fit an area given in rem; `compact` where even the usual one is too large. */
export function fit(count: number, width: number, height: number): CardSize {
  if (width === 0) return 'normal'; // not laid out yet
  const fits = SIZES.find((card) => Math.floor(width / card.width) * Math.floor(height / card.height) >= count);
  return fits?.size ?? 'compact';
}
