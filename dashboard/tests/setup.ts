import { configure } from '@testing-library/svelte';

/** What is waited for comes at once, but for a machine that does other things. */
configure({ asyncUtilTimeout: 15_000 });
