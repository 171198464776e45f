import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { readWish } from './tools/testing/src/wish.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error('Strongroom needs Node 24, which lies in node_modules/.bin: use `npm test` or `npx vitest`.');
}

/** Folders with tests. */
const tests = '{packages,apps}/*/src/**/*.test.ts';
const toolTests = 'tools/**/*.test.ts';
const slow = '**/*.slow.test.ts';

/**
 * A minute or several each, and what they show in whole is shown in parts by others: a process killed again and again, a million people, a long log, 10,000
 * memories in a page, every old file of a vault searched, guides followed word by word.
 */
const lengthySuites = '*.chaos,*.million,long-log,console.scale,vault-erasure,keys-index,audit-retention,guides';
const lengthy = `**/{${lengthySuites}}.slow.test.ts`;

const wish = readWish();

/**
 * `source` makes workspace packages load from src/. Vitest resolves what it transforms by `resolve.conditions`, and Node resolves what it is
 * left with by its own flag, which workers and forked processes started by a test inherit.
 */
const conditions = ['source', 'node'];
const sourceConditions = ['--conditions=source'];

const project = (name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name,
    environment: 'node',
    pool: 'forks',
    execArgv: sourceConditions,
    setupFiles: ['tools/testing/src/setup.ts'],
    // Node loads these modules as it loads them for everybody else: nothing here needs them transformed, which took a tenth of the time.
    experimental: { viteModuleRunner: false, nodeLoader: false },
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
        // PGlite is called too briefly here for its machine code to be worth improving: V8 would spend more on that than it saves.
        execArgv: [...sourceConditions, '--liftoff-only'],
        // A process for each file would spend as long on starting and on loading the same modules as on the tests.
        isolate: false,
        // All cores, and one more for when a test waits; vitest would leave one to itself, and on two of them run one file after the other.
        maxWorkers: availableParallelism() + 1,
        restoreMocks: true,
        unstubEnvs: true,
        unstubGlobals: true,
        sequence: { groupOrder: 0 },
      }),
      ...(wish.slow
        ? [
            project('slow', {
              include: ['{packages,apps}/*/src/**/*.slow.test.ts', 'tools/**/*.slow.test.ts'],
              exclude: ['**/node_modules/**', '**/dist/**', ...(wish.lengthy ? [] : [lengthy])],
              testTimeout: 300_000,
              hookTimeout: 300_000,
              // These start servers, browsers and clusters beside themselves; as many at once as there are cores would wait for each other.
              maxWorkers: Math.max(2, availableParallelism() - 1),
              sequence: { groupOrder: 1 },
            }),
          ]
        : []),
    ],
  },
});
