import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests import the package by its name and get its sources: no build is needed, and stack traces are exact.
    alias: [
      { find: /^waygate$/, replacement: source('./core/index.ts') },
      { find: /^waygate\/adapter$/, replacement: source('./core/adapter.ts') },
      { find: /^waygate\/aws-lambda\/sources$/, replacement: source('./adapters/aws-lambda/sources/index.ts') },
      {
        find: /^waygate\/(node|fetch|cloudflare-workers|aws-lambda)$/,
        replacement: source('./adapters/$1/index.ts'),
      },
      {
        find: /^waygate\/(vercel|netlify|azure-functions|deno-deploy|fastly|bunny)$/,
        replacement: source('./adapters/fetch/presets/$1/index.ts'),
      },
      { find: /^waygate\/google-cloud$/, replacement: source('./adapters/node/presets/google-cloud/index.ts') },
      { find: /^waygate\/light-fetch$/, replacement: source('./adapters/fetch/light/globals.ts') },
      { find: /^waygate\/light-fetch\/classes$/, replacement: source('./adapters/fetch/light/classes.ts') },
      { find: /^waygate\/(middleware|testing)$/, replacement: source('./$1/index.ts') },
    ],
  },
  test: {
    reporters: ['default', './tools/closing-line-reporter.ts'],
    // On a shared machine a process may not be scheduled for seconds: waiting is no failure, and CI tries once more.
    testTimeout: 20_000,
    // On two cores too two files at a time: many tests wait for a child process or a timer.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    retry: process.env.CI ? 1 : 0,
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/**/*.test.ts'], exclude: ['tests/e2e/**'] } },
      // Real runtimes take seconds to start, and there are few cores: with time to spare.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: './tests/e2e/build.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
