/** Who is logged in, and what the role may do. */
import { Api, ApiError } from '../wire/api';
import type { User, UserRole } from '../wire/types';

export type Act = 'watch' | 'decide' | 'keys' | 'users'; // watch includes to acknowledge; decide: to confirm or dismiss

const MAY: Record<UserRole, readonly Act[]> = {
  supervisor: ['watch'],
  compliance: ['watch', 'decide'],
  integrator: ['keys'],
  admin: ['watch', 'decide', 'keys', 'users'],
};

type Standing =
  | { name: 'asking' }
  | { name: 'out'; why: 'left' | 'expired' | 'unkept' }
  | { name: 'unreachable' }
  | { name: 'in'; user: User };

class SessionState {
  #standing = $state.raw<Standing>({ name: 'asking' });
  readonly api = new Api(() => this.#expire());

  get standing(): Standing {
    return this.#standing;
  }

  get user(): User | null {
    return this.#standing.name === 'in' ? this.#standing.user : null;
  }

  may(act: Act): boolean {
    return this.user !== null && MAY[this.user.role].includes(act);
  }

  /** Is there a session already? True, false, or throws ApiError where the service cannot be reached. */
  async check(): Promise<boolean> {
    try {
      this.#standing = { name: 'in', user: (await this.api.session()).user };
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.#expire();
      else if (this.#standing.name !== 'in') this.#standing = { name: 'unreachable' };
      return this.#standing.name === 'in';
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    this.#standing = { name: 'in', user: (await this.api.logIn(username, password)).user };
  }

  async logOut(): Promise<void> {
    try {
      await this.api.logOut();
      this.#standing = { name: 'out', why: 'left' };
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'logout_not_kept') throw error;
      this.#standing = { name: 'out', why: 'unkept' };
    }
  }

  #expire(): void {
    if (this.#standing.name === 'out') return;
    this.#standing = { name: 'out', why: this.#standing.name === 'in' ? 'expired' : 'left' };
  }
}

export const session = new SessionState();
