/** `npm test [-- --all] [-- filter …]`: every package's tests, with a closing line that says what happened. */
import { relative } from 'node:path';
import { parseCLI, startVitest, type TestModule } from 'vitest/node';
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
import { hasFlag } from './internal/flags.ts';
import { openRunFolder, readRecords } from './testing/src/run-folder.ts';

const parameters = process.argv.slice(2);
const inCi = process.env['CI'] === 'true';
if (hasFlag('all', parameters)) process.env['STRONGROOM_TESTS'] = 'all';
// Addressed to this run, not to whatever its tests start.
delete process.env['npm_config_all'];

const { filter, options } = parseCLI(['vitest', 'run', ...parameters.filter((one) => one !== '--all')]);
const { folder, close } = openRunFolder();
process.once('exit', close);

/**
 * Slow suites start servers, browsers and clusters and wait for each other, and a machine that others use can make one of them late. In CI
 * as many files as this run once more, alone; the closing lines name them. More than these is no accident.
 */
const SECOND_ATTEMPTS = 2;

async function run(
  files: readonly string[],
): Promise<{ readonly modules: readonly TestModule[]; readonly unhandled: number }> {
  const vitest = await startVitest([...files], { root: repositoryRoot, ...options, run: true, watch: false });
  const modules = vitest.state.getTestModules();
  const unhandled = vitest.state.getUnhandledErrors().length;
  await vitest.close();
  return { modules, unhandled };
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
if (outcome.passed + outcome.failed === 0) console.log('No test ran: that counts as a failure.');
console.log(closingLine(outcome, skips.failures));
process.exit(outcome.failed + skips.failures === 0 && outcome.passed > 0 ? 0 : 1);
