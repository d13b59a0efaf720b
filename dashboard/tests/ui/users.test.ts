import { loggedIn, refusal, service } from './page';
import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';
import Users from '../../src/features/admin/Users.svelte';
import type { Account, UserRole } from '../../src/wire/types';

const LIST = 'GET /api/v1/users';
const CHEN = 'PUT /api/v1/users/chen';

const account = (name: string, role: UserRole, disabled = false): Account => ({
  name,
  role,
  disabled,
  created_at: '2026-03-10T09:00:00Z',
});
const row = (name: string) => within(screen.getByText(name).closest('tr') as HTMLElement);
const roleOf = (name: string) => row(name).getByRole<HTMLSelectElement>('combobox');
const press = (name: string, button: string) => fireEvent.click(row(name).getByRole('button', { name: button }));

async function show() {
  render(Users);
  await screen.findByText('chen');
}

beforeEach(async () => {
  service.clear();
  await loggedIn(['users'], 'admin');
  service.answers(LIST, { users: [account('chen', 'supervisor'), account('lin', 'admin')] });
});

it('nobody takes their own role or access away', async () => {
  await show();
  expect(roleOf('lin').disabled).toBe(true);
  expect(row('lin').queryAllByRole('button')).toEqual([]);
});

it('a user is made with a name, a role and a first password', async () => {
  service.answers('POST /api/v1/users', account('wu', 'compliance'));
  await show();
  await fireEvent.input(screen.getByLabelText('User name'), { target: { value: ' wu ' } });
  await fireEvent.change(screen.getByLabelText('Role'), { target: { value: 'compliance' } });
  await fireEvent.input(screen.getByLabelText('First password'), { target: { value: 'long enough' } });
  expect(screen.getByText('Compliance officer: all a supervisor may, and final decisions')).toBeTruthy();
  await fireEvent.submit(screen.getByRole('button', { name: 'New user' }).closest('form') as HTMLElement);
  await screen.findByText('Saved.');
  const [sent] = service.asked('POST /api/v1/users');
  expect(sent?.body).toEqual({ name: 'wu', role: 'compliance', password: 'long enough' });
  expect(screen.getByLabelText<HTMLInputElement>('First password').value).toBe('');
});

it('a role is changed where it is chosen, and stands as it is where the service refuses', async () => {
  service.answers(CHEN, account('chen', 'compliance'), refusal(409, 'last_admin'));
  await show();
  await fireEvent.change(roleOf('chen'), { target: { value: 'compliance' } });
  await screen.findByText('Saved.');
  expect(service.asked(CHEN)[0]?.body).toEqual({ role: 'compliance' });
  await fireEvent.change(roleOf('chen'), { target: { value: 'admin' } });
  expect((await screen.findByRole('alert')).textContent).toContain('the last administrator');
  expect(screen.queryByText('Saved.')).toBeNull();
  expect(roleOf('chen').value).toBe('supervisor');
});

it('access is taken and given back', async () => {
  service.answers(LIST, { users: [account('chen', 'supervisor')] }, { users: [account('chen', 'supervisor', true)] });
  service.answers(CHEN, account('chen', 'supervisor', true));
  await show();
  await press('chen', 'Disable');
  await row('chen').findByText('Disabled');
  await press('chen', 'Enable');
  await expect
    .poll(() => service.asked(CHEN).map(({ body }) => body))
    .toEqual([{ disabled: true }, { disabled: false }]);
});

it('a password typed for one user is not there for the next', async () => {
  service.answers(LIST, { users: [account('chen', 'supervisor'), account('wu', 'supervisor')] });
  service.answers(CHEN, account('chen', 'supervisor'));
  await show();
  const field = () => screen.getByLabelText<HTMLInputElement>('New password');
  await press('wu', 'Reset password');
  await fireEvent.input(field(), { target: { value: 'for wu alone' } });
  await press('chen', 'Reset password');
  expect(field().value).toBe('');
  await fireEvent.input(field(), { target: { value: 'for chen alone' } });
  await press('chen', 'Save');
  await screen.findByText('Saved.');
  expect(service.asked(CHEN)[0]?.body).toEqual({ password: 'for chen alone' });
  expect(screen.queryByLabelText('New password')).toBeNull();
});

it('a name that is taken is told', async () => {
  service.answers('POST /api/v1/users', refusal(409, 'already_exists'));
  await show();
  await fireEvent.submit(screen.getByRole('button', { name: 'New user' }).closest('form') as HTMLElement);
  expect((await screen.findByRole('alert')).textContent).toBe('This user name is taken.');
});
