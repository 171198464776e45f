/** `npm test [-- --all] [-- filter …]`: every package's tests, with a closing line that says what happened. */
import { relative } from 'node:path';
import { parseCLI, startVitest } from 'vitest/node';
import { closingLine, outcomeOf, skipReport } from './internal/test-outcome.ts';
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

const vitest = await startVitest(
  // Absolute and dotted paths are how shells complete them; vitest wants them relative to the root.
  filter.map((one) => (one.startsWith('/') ? relative(repositoryRoot, one) : one)),
  { root: repositoryRoot, ...options, run: true, watch: false },
);
const modules = vitest.state.getTestModules();
const outcome = outcomeOf(modules, vitest.state.getUnhandledErrors().length);
await vitest.close();

for (const { text } of readRecords(folder, 'figures')) console.log(`figure: ${text}`);
const skips = skipReport(outcome.skippedByFile, readRecords(folder, 'missing'), inCi);
for (const line of skips.lines) console.log(line);
if (outcome.passed + outcome.failed === 0) console.log('No test ran: that counts as a failure.');
console.log(closingLine(outcome, skips.failures));
process.exit(outcome.failed + skips.failures === 0 && outcome.passed > 0 ? 0 : 1);
