import { loggedIn, refusal, service } from './page';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';
import Account from '../../src/features/account/Account.svelte';
import { session } from '../../src/state/session.svelte';

const ROUTE = 'PUT /api/v1/session/password';
const FIELDS = ['Current password', 'New password', 'New password again'];

async function change(...typed: string[]) {
  render(Account);
  for (const [index, label] of FIELDS.entries())
    await fireEvent.input(screen.getByLabelText(label), { target: { value: typed[index] } });
  await fireEvent.submit(screen.getByRole('button', { name: 'Change password' }).closest('form') as HTMLElement);
}
const typed = () => FIELDS.map((label) => screen.getByLabelText<HTMLInputElement>(label).value);
const alert = () => screen.getByRole('alert').textContent;

beforeEach(async () => {
  service.clear();
  await loggedIn(['watch'], 'supervisor');
});

it('a new password is asked for whole and twice before anything is sent', async () => {
  await change('old', 'short', 'short');
  expect(alert()).toBe('The new password needs at least 10 characters.');
  await fireEvent.input(screen.getByLabelText('New password'), { target: { value: 'long enough' } });
  await fireEvent.submit(screen.getByRole('alert').closest('form') as HTMLElement);
  expect(alert()).toBe('The two new passwords differ.');
  expect(service.asked(ROUTE)).toEqual([]);
});

it('once changed it is said, and nothing of it stays on the page', async () => {
  service.answers(ROUTE, undefined);
  await change('old', 'long enough', 'long enough');
  await screen.findByText('Password changed.');
  expect(service.asked(ROUTE)[0]?.body).toEqual({ old: 'old', new: 'long enough' });
  expect(typed()).toEqual(['', '', '']);
});

it.each([
  ['The current password is not right.', refusal(401, 'wrong_credentials')],
  ['Too many tries. Please wait 40 seconds.', refusal(429, 'too_many_attempts', '', { 'Retry-After': '40' })],
  ['The service cannot reach its data right now. Please try again soon.', refusal(503, 'storage_failed')],
])('a refusal is told, and the person stays where they are: %s', async (told, answer) => {
  service.answers(ROUTE, answer);
  await change('old', 'long enough', 'long enough');
  await screen.findByText(told);
  expect(typed()).toEqual(['old', 'long enough', 'long enough']);
  expect(session.user?.name).toBe('lin');
});
