import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error('Strongroom needs Node 24, which lies in node_modules/.bin: use `npm test` or `npx vitest`.');
}

/** Folders with tests. */
const tests = '{packages,apps}/*/src/**/*.test.ts';
const toolTests = 'tools/**/*.test.ts';
const slow = '**/*.slow.test.ts';

/** Minutes each: a process killed again and again, a million people, a long log. */
const lengthy = '**/{*.chaos,*.million,long-log}.slow.test.ts';

/** Slow suites run with `npm test -- --all`, with CI=true except for lengthy ones, and when a filter names one; `fast` is for `npm run check`. */
const wish = process.env['STRONGROOM_TESTS'];
const isNamed = process.argv.some((argument) => argument.includes('.slow'));
const withLengthy = wish === 'all' || isNamed;
const withSlow = withLengthy || (process.env['CI'] === 'true' && wish !== 'fast' && wish !== 'both');

/**
 * `source` makes workspace packages load from src/. Vitest resolves what it transforms by `resolve.conditions`, and Node resolves what it is
 * left with by its own flag, which workers and forked processes started by a test inherit.
 */
const conditions = ['source', 'node'];

const project = (name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name,
    environment: 'node',
    pool: 'forks',
    execArgv: ['--conditions=source'],
    setupFiles: ['tools/testing/src/setup.ts'],
    ...test,
  },
});

export default defineConfig({
  test: {
    globalSetup: ['tools/testing/src/global-setup.ts'],
    projects: [
      project('fast', {
        include: [tests, toolTests],
        exclude: ['**/node_modules/**', '**/dist/**', slow],
        testTimeout: 60_000,
        hookTimeout: 60_000,
        // A process for each file would spend as long on starting and on loading the same modules as on the tests.
        isolate: false,
        // All cores: vitest would leave one to itself, and on two of them run one file after the other.
        maxWorkers: availableParallelism(),
        restoreMocks: true,
        unstubEnvs: true,
        unstubGlobals: true,
        sequence: { groupOrder: 0 },
      }),
      ...(withSlow
        ? [
            project('slow', {
              include: ['{packages,apps}/*/src/**/*.slow.test.ts', 'tools/**/*.slow.test.ts'],
              exclude: ['**/node_modules/**', '**/dist/**', ...(withLengthy ? [] : [lengthy])],
              testTimeout: 300_000,
              hookTimeout: 300_000,
              // These start servers, browsers and clusters; more of them at once would wait for each other.
              maxWorkers: 2,
              sequence: { groupOrder: 1 },
            }),
          ]
        : []),
    ],
  },
});
