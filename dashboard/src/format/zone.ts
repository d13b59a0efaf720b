/** Times on the clock of the debtor, which may not be the browser's. */

const OFFSET = /^UTC([+-])(\d\d):(\d\d)$/;
const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock in the zone shows, as the UTC fields of a date; null where there is no moment or the zone is not known here. */
function onTheWall(at: Date, zone: string): Date | null {
  if (zone === '' || Number.isNaN(at.getTime())) return null;
  const offset = OFFSET.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(at.getTime() + (offset[1] === '-' ? -minutes : minutes) * MINUTE_MS);
  }
  const parts = formatOf(zone)?.formatToParts(at);
  if (parts === undefined) return null;
  const figure = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return new Date(
    Date.UTC(figure('year'), figure('month') - 1, figure('day'), figure('hour'), figure('minute'), figure('second')),
  );
}

function formatOf(zone: string): Intl.DateTimeFormat | null {
  let format = formats.get(zone);
  try {
    format ??= new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null; // a zone that this browser is too old for
  }
  formats.set(zone, format);
  return format;
}

/** What this machine's own clock shows, in the same form. */
function here(at: Date): Date {
  return new Date(at.getTime() - at.getTimezoneOffset() * MINUTE_MS);
}

const minuteOf = (wall: Date) => Math.floor(wall.getTime() / MINUTE_MS);
const clockOf = (wall: Date) => wall.toISOString().slice(11, 16);
const dayOf = (wall: Date, locale: string) =>
  wall.toLocaleDateString(locale, { timeZone: 'UTC', month: 'short', day: 'numeric' });
const sameDay = (a: Date, b: Date) => a.toISOString().slice(0, 10) === b.toISOString().slice(0, 10);

/** `22:40 (Asia/Shanghai)`; with the day before or after where it is another one there; null where the zone is not known. */
export function localTime(at: Date, zone: string, locale: string): string | null {
  const wall = onTheWall(at, zone);
  if (wall === null) return null;
  return `${sameDay(wall, here(at)) ? '' : `${dayOf(wall, locale)} `}${clockOf(wall)} (${zone})`;
}

/** `22:40–22:46 (Asia/Shanghai)`: from a moment until `seconds` later. */
export function localSpan(from: Date, seconds: number, zone: string, locale: string): string | null {
  const begun = onTheWall(from, zone);
  const over = onTheWall(new Date(from.getTime() + seconds * 1000), zone);
  if (begun === null || over === null || minuteOf(begun) === minuteOf(over)) return localTime(from, zone, locale);
  return `${sameDay(begun, here(from)) ? '' : `${dayOf(begun, locale)} `}${clockOf(begun)}–${clockOf(over)} (${zone})`;
}

/** Does a clock in the zone show another time than this machine's? Not where the zone is not known. */
export function differs(at: Date, zone: string): boolean {
  const wall = onTheWall(at, zone);
  return wall !== null && minuteOf(wall) !== minuteOf(here(at));
}
