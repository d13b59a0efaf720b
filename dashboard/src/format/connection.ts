/** What the figures of a gateway's connection mean to whoever sets it up. Pure. */
import type { Connection, LegPreview } from '../wire/types';

/** Later than this after its last packet a leg's level is of the past. */
const QUIET_S = 1.5;
/** dBFS; speech on a telephone line is some 20 dB louder. */
const FAINT = -48;
const CLIPPED = -0.3;
const SILENT = -90;
/** Seconds of audio a second: nobody speaks so fast. */
const TOO_FAST = 1.5;
/** So many seconds a leg may bring nothing before that is worth telling. */
const FIRST_S = 3;

export type LegTrouble = 'none' | 'silent' | 'faint' | 'clipped' | 'fast';

/** What is most likely wrong with a leg; null for nothing. */
export function legTrouble(leg: LegPreview, connection: Connection): LegTrouble | null {
  if (leg.packets === 0) return connection.seconds > FIRST_S ? 'none' : null;
  if (leg.pace > TOO_FAST) return 'fast';
  if (leg.reading === null || leg.audio < FIRST_S) return null;
  if (leg.reading.peak <= SILENT) return 'silent';
  if (leg.reading.peak >= CLIPPED) return 'clipped';
  return leg.reading.speech !== null && leg.reading.speech < FAINT ? 'faint' : null;
}

/** The level to draw, dBFS; null where nothing comes now. */
export function levelNow(leg: LegPreview, connection: Connection): number | null {
  const fresh = leg.last_at !== null && connection.seconds - leg.last_at < QUIET_S;
  return connection.state === 'live' && fresh ? (leg.reading?.dbfs ?? null) : null;
}

/** `8 kHz`, `11.025 kHz`. */
export const kilohertz = (rate: number) => `${rate / 1000} kHz`;

/** `-31.5`, `–` for nothing. */
export const decibels = (value: number | null | undefined) =>
  value == null ? '–' : value.toFixed(1).replace('-', '−');

/** Seconds as milliseconds. */
export const milliseconds = (seconds: number) => Math.round(seconds * 1000).toString();

/** `512 B`, `38.2 kB`, `1.4 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

/** JSON with a line for each field; anything else as it is. */
export function laidOut(message: string): string {
  try {
    return JSON.stringify(JSON.parse(message), null, 2);
  } catch {
    return message;
  }
}
