/** Names of laws and weights of severities, which the service tells once a session. */
import { band, type Band } from '../format/chart';
import { ApiError, bodyOf, type Api } from '../wire/client';
import type { Reference } from '../wire/types';

const AGAIN_MS = 5_000;

class ReferenceState {
  #held = $state.raw<Reference | null>(null);

  /** Names by their codes; empty until they came. */
  get laws(): Reference['laws'] {
    return this.#held?.laws ?? {};
  }

  band(risk: number): Band {
    return band(risk, this.#held?.risk_weights ?? {});
  }

  /** Asks until there is an answer, or the returned end is called. */
  start(api: Api): () => void {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        this.#held = await bodyOf(api.GET('/api/v1/reference'));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!over) timer = setTimeout(() => void ask(), AGAIN_MS);
      }
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }
}

export const reference = new ReferenceState();
