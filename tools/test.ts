/** `npm test`: every package's tests, with a closing line that says what happened; its usage is below. */
import { relative } from 'node:path';
import type { Plugin } from 'vitest/config';
import { createCLI, parseCLI, startVitest, type TestModule, type Vitest } from 'vitest/node';
import {
  afterSecondAttempt,
  closingLine,
  failureLines,
  failuresOf,
  outcomeOf,
  skipReport,
  type TestFailure,
} from './internal/test-outcome.ts';
import { repositoryRoot } from './testing/src/corpora.ts';
import { parametersOf, refuse, type Usage } from './internal/flags.ts';
import { endLeftOvers, markRun } from './internal/left-over.ts';
import { openRunFolder, readRecords } from './testing/src/run-folder.ts';

const usage = {
  command: 'npm test',
  does: 'Runs the tests, and says in its last line how many passed and failed.',
  words: ['filter …', 'a folder, a file, or a part of its path; the fast tests when none is given'],
  flags: { all: { means: 'the slow tests too: crashes, races, other implementations, browsers' } },
  handsOnTo: 'vitest: npx vitest run --help',
  examples: [
    'npm test',
    'npm test -- packages/storage',
    "npm test -- tools/prove.test.ts -t 'the choice'",
    'npm test -- apps/cli/src/journey.slow --testTimeout 600000',
    'npm test -- --all',
  ],
} as const satisfies Usage;

const { words, flags } = parametersOf(usage);
const inCi = process.env['CI'] === 'true';
if (flags.has('all')) process.env['STRONGROOM_TESTS'] = 'all';
// Addressed to this run, not to whatever its tests start.
delete process.env['npm_config_all'];

const { filter, options } = parseCLI(['vitest', 'run', ...words]);
// `parseCLI` lets anything pass.
const commandLine = createCLI();
commandLine.parse(['node', 'vitest', 'run', ...words], { run: false });
try {
  commandLine.matchedCommand?.checkUnknownOptions();
  commandLine.matchedCommand?.checkOptionValue();
} catch (error) {
  refuse(usage, `${error instanceof Error ? error.message : String(error)}.`);
}
const { folder, close } = openRunFolder();
process.once('exit', close);
const mark = markRun();
const leftOver: string[] = [];
/** Milliseconds that vitest may take for its end beyond what it allows its workers, whose test files it then names. */
const GRACE = 2_000;

/**
 * Slow suites start servers, browsers and clusters and wait for each other, and a machine that others use can make one of them late. In CI
 * as many files as this run once more, alone; the closing lines name them. More than these is no accident.
 */
const SECOND_ATTEMPTS = 2;

async function run(
  files: readonly string[],
): Promise<{ readonly modules: readonly TestModule[]; readonly unhandled: number }> {
  const ran = Promise.withResolvers<Vitest>();
  const tellWhenRan: Plugin = {
    name: 'tell-when-ran',
    configureVitest: ({ vitest }) => {
      vitest.config.reporters.push({ onTestRunEnd: () => ran.resolve(vitest) });
    },
  };
  const configuration = { root: repositoryRoot, ...options, run: true, watch: false };
  const ending = startVitest([...files], configuration, { plugins: [tellWhenRan] });
  const vitest = await Promise.race([ran.promise, ending]);
  leftOver.push(...(await endLeftOvers(ending, mark, vitest.config.teardownTimeout + GRACE)));
  return { modules: vitest.state.getTestModules(), unhandled: vitest.state.getUnhandledErrors().length };
}

// Absolute and dotted paths are how shells complete them; vitest wants them relative to the root.
const first = await run(filter.map((one) => (one.startsWith('/') ? relative(repositoryRoot, one) : one)));
let { modules, unhandled } = first;
let unsteady: readonly TestFailure[] = [];
const failedAtFirst = failuresOf(modules);
const suspects = new Set(failedAtFirst.map(({ file }) => file));
const mayBeUnsteady = suspects.size <= SECOND_ATTEMPTS && [...suspects].every((file) => file.endsWith('.slow.test.ts'));
if (inCi && suspects.size > 0 && unhandled === 0 && mayBeUnsteady) {
  const second = await run([...suspects].map((file) => relative(repositoryRoot, file)));
  modules = afterSecondAttempt(modules, second.modules);
  const still = new Set(failuresOf(second.modules).map(({ file }) => file));
  unsteady = failedAtFirst.filter(({ file }) => !still.has(file));
  unhandled = second.unhandled;
}
const outcome = outcomeOf(modules, unhandled);

for (const { text } of readRecords(folder, 'figures')) console.log(`figure: ${text}`);
const skips = skipReport(outcome.skippedByFile, readRecords(folder, 'missing'), inCi);
for (const line of skips.lines) console.log(line);
for (const line of failureLines('unsteady, passed when run again', unsteady, repositoryRoot)) console.log(line);
for (const line of failureLines('failed', failuresOf(modules), repositoryRoot)) console.log(line);
for (const line of leftOver) console.log(line);
if (outcome.passed + outcome.failed === 0) console.log('No test ran: that counts as a failure.');
const moreFailures = skips.failures + leftOver.length;
console.log(closingLine(outcome, moreFailures));
process.exit(outcome.failed + moreFailures === 0 && outcome.passed > 0 ? 0 : 1);
