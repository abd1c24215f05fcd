// The tests that run inside workerd itself, through Cloudflare's own pool: `npm run test:workers`.

import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [cloudflareTest({ miniflare: { compatibilityDate: '2026-04-01' } })],
  resolve: {
    alias: [
      { find: /^waygate$/, replacement: source('./core/index.ts') },
      { find: /^waygate\/(fetch|cloudflare-workers)$/, replacement: source('./adapters/$1/index.ts') },
      { find: /^waygate\/(middleware|testing)$/, replacement: source('./$1/index.ts') },
    ],
  },
  test: {
    name: 'workerd',
    reporters: ['default', './tools/closing-line-reporter.ts'],
    include: ['tests/e2e/workers/**/*.workerd.ts'],
    testTimeout: 20_000,
    retry: process.env.CI ? 1 : 0,
  },
});
