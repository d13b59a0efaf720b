/** What is looked for on a page may come late on a busy machine. */
import { configure } from '@testing-library/svelte';

configure({ asyncUtilTimeout: 10_000 });
