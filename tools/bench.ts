/**
 * `npm run bench [name …] [-- --quick] [-- --list]`: measures Strongroom beside its peers, prints medians and ratios, and writes
 * bench/results/<name>.json (not with --quick). Peers are installed from bench/package-lock.json when first wanted.
 */
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { measure, type CaseResult, type Suite } from '../bench/harness.ts';
import { resultFile, table, verdicts } from '../bench/report.ts';
import { ensureInstalled } from './install.mjs';
import { hasFlag } from './internal/flags.ts';
import { toolsRoot } from './internal/step.ts';

const bench = join(toolsRoot, 'bench');
const parameters = process.argv.slice(2);
const quick = hasFlag('quick', parameters);
const settings = quick ? { rounds: 5, sliceMilliseconds: 20 } : { rounds: 25, sliceMilliseconds: 60 };

const existing = globSync('suites/*.ts', { cwd: bench })
  .map((path) => basename(path, '.ts'))
  .toSorted();
const names = parameters.filter((one) => !one.startsWith('--'));
const unknown = names.filter((name) => !existing.includes(name));
if (unknown.length > 0 || hasFlag('list', parameters)) {
  if (unknown.length > 0) console.error(`No benchmark is called ${unknown.join(', ')}.`);
  console.log(`Benchmarks: ${existing.join(', ')}`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

await ensureInstalled(bench);
let broken = 0;
for (const name of names.length > 0 ? names : existing) {
  const { default: suite } = (await import(join(bench, 'suites', `${name}.ts`))) as { readonly default: Suite };
  const results: CaseResult[] = [];
  for (const one of await suite.cases({ isQuick: quick })) results.push(await measure(one, settings));
  console.log(`\n${suite.title} (medians of ${settings.rounds} rounds, ratios of the same round)`);
  for (const line of table(results)) console.log(line);
  for (const { kept, text } of verdicts(suite, results)) {
    console.log(`${kept ? 'figure:' : 'BROKEN '} ${text}`);
    if (!kept) broken += 1;
  }
  for (const text of suite.figures?.() ?? []) console.log(`figure: ${text}`);
  if (!quick) {
    mkdirSync(join(bench, 'results'), { recursive: true });
    const file = join(bench, 'results', `${name}.json`);
    writeFileSync(file, `${JSON.stringify(resultFile(suite, results, settings, new Date()), undefined, 2)}\n`);
  }
}
process.exit(broken === 0 ? 0 : 1);
