/** `npm run prove`: its usage is below. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parametersOf, withoutFlags, type Usage } from './internal/flags.ts';
import { judge, parseProofs, selectProofs, type Proof, type Verdict } from './internal/proofs.ts';
import { runCommand, toolsRoot, type CommandResult } from './internal/step.ts';

const usage = {
  command: 'npm run prove',
  does: 'Runs the proofs listed in docs/proofs.md and shows what each one measured.',
  words: ['name …', 'of a room, or foundation, or console; all of them when none is given'],
  flags: {
    all: { means: 'the slow ones too' },
    list: { means: 'only says what would be run' },
    json: { means: 'one JSON document on standard output' },
  },
  examples: ['npm run prove', 'npm run prove -- audit-log --all', 'npm run prove -- --list encryption'],
} as const satisfies Usage;

const { words: names, flags } = parametersOf(usage);
const [all, list, json] = [flags.has('all'), flags.has('list'), flags.has('json')];
const say = (line: string): void => (json ? undefined : console.log(line));

/** Several claims may rest on one command: it runs once. */
const results = new Map<string, Promise<CommandResult & { readonly seconds: number }>>();

async function measure({ command }: Proof): Promise<CommandResult & { readonly seconds: number }> {
  const [program = '', ...rest] = command;
  const started = performance.now();
  const result = await runCommand(program === 'node' ? process.execPath : program, rest, {
    cwd: toolsRoot,
    env: { ...withoutFlags(...Object.keys(usage.flags)), NO_COLOR: '1' },
  });
  return { ...result, seconds: Math.round((performance.now() - started) / 100) / 10 };
}

async function prove(proof: Proof): Promise<Verdict & { readonly seconds: number; readonly output: string }> {
  const key = proof.command.join('\0');
  const pending = results.get(key) ?? measure(proof);
  results.set(key, pending);
  const { code, output, seconds } = await pending;
  return { ...judge(proof, code, output), seconds, output };
}

const proofs = parseProofs(readFileSync(join(toolsRoot, 'docs/proofs.md'), 'utf8'));
const { chosen, complaints } = selectProofs(proofs, names, all || list);

if (list) {
  if (json) console.log(JSON.stringify(chosen, undefined, 2));
  for (const { name, speed, claim, command } of chosen) say(`${name} (${speed}): ${claim}\n    ${command.join(' ')}`);
  for (const complaint of complaints) console.error(complaint);
  process.exit(complaints.length === 0 ? 0 : 1);
}

const records: object[] = [];
let passed = 0;
for (const proof of chosen) {
  const { passed: holds, figure, seconds, output } = await prove(proof);
  if (holds) passed += 1;
  const { name, claim, command, expected, speed } = proof;
  records.push({ name, claim, command, expected, speed, figure, passed: holds, seconds });
  say(`${holds ? 'proved' : 'FAILED'}  ${name}: ${claim}`);
  say(`        ${figure} (expected: ${expected}; ${seconds} s)`);
  if (!holds) for (const line of output.trimEnd().split('\n').slice(-40)) say(`        | ${line}`);
}
const failed = chosen.length - passed + complaints.length;
for (const complaint of complaints) say(`FAILED  ${complaint}`);
if (json) console.log(JSON.stringify({ proofs: records, complaints, passed, failed }, undefined, 2));
else console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
