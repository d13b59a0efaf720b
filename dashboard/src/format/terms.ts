/** Amounts, days and hours that people agree on: they carry no time zone and are shown as they were said. */

/** `2,000`, `99.50`: decimals only where there are any. */
export function figure(amount: string, locale: string): string {
  const value = Number(amount);
  if (!Number.isFinite(value)) return amount;
  return value.toLocaleString(locale, { minimumFractionDigits: Number.isInteger(value) ? 0 : 2 });
}

/** `12月15日周一`; with the year where it is another one. The weekday is what most people name a day by. */
export function dayText(iso: string, locale: string, now: Date): string {
  const at = new Date(`${iso}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return iso;
  const year: Intl.DateTimeFormatOptions = at.getUTCFullYear() === now.getFullYear() ? {} : { year: 'numeric' };
  return at.toLocaleDateString(locale, {
    ...year,
    timeZone: 'UTC',
    month: 'short',
    day: 'numeric',
    weekday: 'short',
  });
}

/** `15:00`, of an hour with or without seconds: as a field for a time takes it, too. */
export const hourText = (iso: string) => iso.slice(0, 5);
