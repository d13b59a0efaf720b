import { createContext } from 'svelte';
import type { Live } from './live.svelte';

/** What is live, for every view below the shell. Only users who may watch have it running. */
export const [getLive, setLive] = createContext<Live>();
