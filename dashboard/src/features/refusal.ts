/** What a person is told where the service has refused, or has not answered. */
import { text } from '../i18n/text.svelte';
import type { Refusal } from '../ui/decision';
import { ApiError } from '../wire/client';

export function refusalText({ status, code, message, retryAfter }: ApiError): string {
  const words = text.m.error;
  if (status === 0) return words.offline;
  if (status === 403) return words.denied;
  if (code === 'stale_change') return words.changed;
  if (status === 429) return words.wait(retryAfter ?? 0);
  // The service names the field and says what is wrong with it, or why it can keep no secret.
  return status >= 500 && code !== 'secret' ? words.unavailable : message;
}

/** Why what a person wrote was not kept. Throws what is no refusal. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ApiError)) throw error;
  return error.status === 409 ? 'stale' : error.status === 403 ? 'forbidden' : 'failed';
}
