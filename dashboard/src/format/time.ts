/** Times as people in the room read them. */

/** Seconds on the audio clock → `4:07`, `1:02:33`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** With tenths, for places in a recording: `1:07.4`. */
export function clockTenths(seconds: number): string {
  const tenths = Math.max(0, Math.floor(seconds * 10));
  return `${clock(tenths / 10)}.${tenths % 10}`;
}

/** `14:03:22` today, with the date on any other day; in this machine's time zone. */
export function moment(iso: string, locale: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = at.toLocaleTimeString(locale, { hour12: false });
  return at.toDateString() === now.toDateString() ? time : `${day(at, locale, now)} ${time}`;
}

function day(at: Date, locale: string, now: Date): string {
  const year: Intl.DateTimeFormatOptions = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' };
  return at.toLocaleDateString(locale, { ...year, month: 'short', day: 'numeric' });
}

/** `+0.42`, `−0.30`: sentiment with a sign that does not jump about. */
export function signed(score: number): string {
  const rounded = Math.abs(score).toFixed(2);
  if (rounded === '0.00') return '0.00';
  return `${score < 0 ? '−' : '+'}${rounded}`;
}
