import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, globalIgnores } from 'eslint/config';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/**
 * wire <- live <- state <- features; ui, format and i18n stand beside and are told everything. What a folder may import
 * besides its own files, as a pattern for the rest of a path that leads out of it.
 */
const LAYERS = {
  wire: [],
  live: ['wire/'],
  state: ['wire/', 'live/', 'format/'],
  format: ['wire/types$'],
  i18n: ['wire/types$'],
  ui: ['wire/types$', 'format/', 'i18n/'],
};

const layers = Object.entries(LAYERS).map(([folder, allowed]) => ({
  files: [`src/${folder}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: folder === 'wire' ? [] : ['openapi-fetch'],
        patterns: [
          {
            regex: `^\\.\\./(?!${allowed.join('|') || '$'})`,
            message: `Of other folders ${folder}/ imports ${allowed.join(', ').replace('$', '') || 'nothing'} (see README.md).`,
          },
        ],
      },
    ],
  },
}));

/** A drawn part gets its data from whoever shows it. */
const OUTSIDE = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'history', 'location', 'localStorage'];
const drawn = {
  files: ['src/ui/**'],
  rules: { 'no-restricted-globals': ['error', ...OUTSIDE] },
};

export default defineConfig(
  globalIgnores(['src/wire/schema.d.ts', '*.js']),
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] } },
    rules: {
      'no-undef': 'off', // TypeScript knows better
      // To the linter a component's instance is any; svelte-check knows its type.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Many maps and sets are bookkeeping that nothing is drawn from.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  layers,
  drawn,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
);
