import { createContext } from 'svelte';
import type { Live } from './live.svelte';

/** The live picture of the logged-in room, for every view below it. Only rooms of roles that may watch have one. */
export const [getLive, setLive] = createContext<Live>();
