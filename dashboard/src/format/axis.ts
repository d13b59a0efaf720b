/** Where the marks of a time axis stand. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800] as const;
/** A label such as `1:02:33` with room around it. */
const LEAST_PX = 72;

/** Seconds to label on an axis of `width` pixels for `duration` seconds, 0 included. */
export function ticks(duration: number, width: number): readonly number[] {
  if (duration <= 0 || width <= 0) return [];
  const most = Math.max(1, Math.floor(width / LEAST_PX));
  const step = STEPS_S.find((seconds) => duration / seconds <= most) ?? Math.ceil(duration / most / 3600) * 3600;
  return Array.from({ length: Math.floor(duration / step) + 1 }, (_, index) => index * step);
}
