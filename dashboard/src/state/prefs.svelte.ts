/** What this person prefers on this machine: kept in the browser, not in the service. */
export type Theme = 'system' | 'light' | 'dark';
/** Size of the wall's cards; `auto` makes them as large as all of them can be seen. */
export type Density = 'auto' | 'compact' | 'normal' | 'large';

const KEPT_UNDER = 'callwarden.prefs';

interface Kept {
  theme: Theme;
  density: Density;
}

function kept(): Kept {
  const plain: Kept = { theme: 'system', density: 'auto' };
  try {
    return { ...plain, ...(JSON.parse(localStorage.getItem(KEPT_UNDER) ?? '{}') as Partial<Kept>) };
  } catch {
    return plain;
  }
}

class Prefs {
  #held = $state<Kept>(kept());
  readonly #systemDark = matchMedia('(prefers-color-scheme: dark)');
  #dark = $state(this.#systemDark.matches);

  constructor() {
    // Lives as long as the page itself, so nothing ever takes this listener off.
    this.#systemDark.addEventListener('change', (event) => (this.#dark = event.matches));
  }

  get theme(): Theme {
    return this.#held.theme;
  }

  get density(): Density {
    return this.#held.density;
  }

  /** The theme in force. */
  get shade(): 'light' | 'dark' {
    if (this.#held.theme !== 'system') return this.#held.theme;
    return this.#dark ? 'dark' : 'light';
  }

  set theme(theme: Theme) {
    this.#keep({ ...this.#held, theme });
  }

  set density(density: Density) {
    this.#keep({ ...this.#held, density });
  }

  #keep(next: Kept): void {
    this.#held = next;
    localStorage.setItem(KEPT_UNDER, JSON.stringify(next));
  }
}

export const prefs = new Prefs();
