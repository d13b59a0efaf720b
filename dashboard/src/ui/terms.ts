import { dayText, figure, hourText } from '../format/terms';
import { text } from '../i18n/text.svelte';
import type { CallNote, Currency, Said, Statement } from '../wire/types';

type Terms = Pick<Statement, 'amount' | 'currency' | 'day' | 'hour'>;

/** What was agreed, in the reader's language: `2,000元 12月15日周一`; empty where nothing was. */
export function termsText({ amount, currency, day, hour }: Terms, now: Date): string {
  const told = [
    amount === null ? '' : moneyText(figure(amount, text.locale), currency),
    day === null ? '' : dayText(day, text.locale, now),
    hour === null ? '' : text.m.note.theirTime(hourText(hour)),
  ];
  return told.filter((each) => each !== '').join(' ');
}

/** The terms of one outcome in the note. */
export function termsOf(kind: Said, note: CallNote): Terms {
  const promised = kind === 'promise';
  return {
    amount: promised ? note.promise_amount : null,
    currency: promised ? note.promise_currency : null,
    day: promised ? note.promise_day : kind === 'callback' ? note.callback_day : null,
    hour: kind === 'callback' ? note.callback_hour : null,
  };
}

function moneyText(amount: string, currency: Currency | null): string {
  return currency === null ? amount : text.m.money[currency](amount);
}
