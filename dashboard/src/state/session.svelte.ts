/** Who is logged in, and what they may do. */
import { ApiError, bodyOf, createApi } from '../wire/client';
import type { Right, Session, User } from '../wire/types';

type Standing =
  | { name: 'asking' }
  | { name: 'out'; why: 'left' | 'expired' | 'unkept' }
  | { name: 'unreachable' }
  | { name: 'in'; user: User };

class SessionState {
  #standing = $state.raw<Standing>({ name: 'asking' });
  #csrf = '';
  readonly api = createApi({ csrf: () => this.#csrf, onExpired: () => this.#expire() });

  get standing(): Standing {
    return this.#standing;
  }

  get user(): User | null {
    return this.#standing.name === 'in' ? this.#standing.user : null;
  }

  may(right: Right): boolean {
    return this.user !== null && this.user.rights.includes(right);
  }

  /** Is there a session? What was known of it stands where the service does not tell. */
  async check(): Promise<boolean> {
    try {
      this.#enter(await bodyOf(this.api.GET('/api/v1/session')));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.#expire();
      else if (this.#standing.name !== 'in') this.#standing = { name: 'unreachable' };
      return this.#standing.name === 'in';
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    this.#enter(await bodyOf(this.api.POST('/api/v1/session', { body: { username, password } })));
  }

  /** Ends the session; one that is over already has ended too. Throws ApiError where it goes on. */
  async logOut(): Promise<void> {
    try {
      await this.api.DELETE('/api/v1/session');
      this.#standing = { name: 'out', why: 'left' };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 'logout_not_kept') this.#standing = { name: 'out', why: 'unkept' };
      else if (error.status === 401) this.#standing = { name: 'out', why: 'left' };
      else throw error;
    }
  }

  #enter({ user, csrf }: Session): void {
    this.#csrf = csrf;
    this.#standing = { name: 'in', user };
  }

  #expire(): void {
    if (this.#standing.name === 'out') return;
    this.#standing = { name: 'out', why: this.#standing.name === 'in' ? 'expired' : 'left' };
  }
}

export const session = new SessionState();
