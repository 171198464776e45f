/** `npm run bench`. Peers are installed from bench/package-lock.json when first wanted. */
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { measure, type CaseResult, type Suite } from '../bench/harness.ts';
import { resultFile, table, verdicts } from '../bench/report.ts';
import { ensureInstalled } from './install.mjs';
import { benchUsage as usage } from './internal/bench-usage.ts';
import { parametersOf, refuse } from './internal/flags.ts';
import { toolsRoot } from './internal/step.ts';

const bench = join(toolsRoot, 'bench');
const existing = globSync('suites/*.ts', { cwd: bench })
  .map((path) => basename(path, '.ts'))
  .toSorted();

const { words: names, flags } = parametersOf(usage);
const unknown = names.filter((name) => !existing.includes(name));
if (unknown.length > 0) refuse(usage, `No benchmark is called ${unknown.join(', ')}; there is ${existing.join(', ')}.`);
if (flags.has('list')) {
  console.log(`Benchmarks: ${existing.join(', ')}`);
  process.exit(0);
}
const quick = flags.has('quick');
for (const name of ['rounds', 'rows'] as const) {
  if (!/^[1-9]\d*$/.test(flags.get(name) ?? '1')) refuse(usage, `--${name} takes a whole number from 1.`);
}
const settings = { rounds: Number(flags.get('rounds') ?? (quick ? 5 : 25)), sliceMilliseconds: quick ? 20 : 60 };

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
