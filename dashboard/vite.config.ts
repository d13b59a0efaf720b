import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

/** `npm run dev` talks to this service; set CALLWARDEN_URL to talk to another. */
const SERVICE = 'http://127.0.0.1:8720';

/** A busy machine is slow, and no test of a page is about how fast it is. */
const PATIENCE_MS = 10_000;

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), svelteTesting({ autoCleanup: false })],
  build: {
    outDir: '../service/web/static',
    emptyOutDir: true,
    // The service's content security policy allows no data: fonts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/api': { target: loadEnv(mode, '.', 'CALLWARDEN_')['CALLWARDEN_URL'] ?? SERVICE, ws: true } },
  },
  test: {
    projects: [
      { extends: true, test: { name: 'plain', include: ['tests/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'pages',
          include: ['tests/ui/*.test.ts'],
          environment: 'happy-dom',
          testTimeout: 2 * PATIENCE_MS,
          setupFiles: ['@testing-library/svelte/vitest', 'tests/ui/patience.ts'],
          expect: { poll: { timeout: PATIENCE_MS } },
        },
      },
    ],
  },
}));
