/** Geometry of sentiment lines: points in, SVG path data out. */
import type { SentimentPoint, Severity } from '../wire/types';

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Seconds at the left and the right edge. */
  readonly from: number;
  readonly to: number;
}

export const x = (at: number, { width, from, to }: Frame) => (to > from ? ((at - from) / (to - from)) * width : 0);

/** Score 1 lies on top, −1 at the bottom. */
export const y = (score: number, { height }: Frame) => ((1 - Math.max(-1, Math.min(1, score))) / 2) * height;

/**
 * A step-free line through the trend, held level to the right edge: what a party felt last still stands. The first
 * point is carried back to the left edge only when it lies left of the frame.
 */
export function line(points: readonly Pick<SentimentPoint, 'at' | 'trend'>[], frame: Frame): string {
  const shown = points.filter((point, index) => point.at >= frame.from || (points[index + 1]?.at ?? -1) >= frame.from);
  if (shown.length === 0) return '';
  const round = (n: number) => Math.round(n * 10) / 10;
  const corners = shown.map((point) => `${round(Math.max(0, x(point.at, frame)))} ${round(y(point.trend, frame))}`);
  const last = shown[shown.length - 1];
  const tail = last === undefined ? '' : ` H${round(frame.width)}`;
  return `M${corners.join(' L')}${tail}`;
}

/**
 * The points that can be told apart on a frame: of those that share a unit of its width the lowest, the highest and the
 * last, in their order. As they came where they are few.
 */
export function thin<P extends SentimentPoint>(points: readonly P[], frame: Frame): readonly P[] {
  if (points.length <= frame.width) return points;
  const kept: P[] = [];
  let [low, high, last]: (P | undefined)[] = [];
  const flush = () => {
    const chosen = new Set([low, high, last].filter((each) => each !== undefined));
    kept.push(...[...chosen].sort((a, b) => a.at - b.at));
  };
  let column = -1;
  for (const point of points) {
    const place = Math.floor(x(point.at, frame));
    if (place !== column) {
      flush();
      [column, low, high] = [place, point, point];
    } else {
      if (low === undefined || point.score < low.score) low = point;
      if (high === undefined || point.score > high.score) high = point;
    }
    last = point;
  }
  flush();
  return kept;
}

export type Band = 'calm' | 'raised' | 'high' | 'critical';

/** A risk is as bad as the alert that would make it alone; `weights` is what one of each severity adds. */
export function band(risk: number, weights: Readonly<Record<string, number>>): Band {
  const reaches = (severity: Severity) => risk >= (weights[severity] ?? Infinity);
  if (reaches('critical')) return 'critical';
  if (reaches('high')) return 'high';
  return reaches('medium') ? 'raised' : 'calm';
}

/** Loudness in dBFS → 0..1 of a meter: speech on a telephone lies between about −50 and −10. */
export function loudness(dbfs: number): number {
  return Math.max(0, Math.min(1, (dbfs + 55) / 45));
}
