/**
 * The first thing every npm script runs: installs dependencies if they are missing or outdated, finds Node 24 and hands over to
 * `tools/<task>.ts`. Runs on any Node from 18 on and imports nothing that must be installed.
 */
// @ts-check
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files that npm scripts hand over to, relative to the root. */
const tasks = {
  start: 'tools/start.ts',
  test: 'tools/test.ts',
  check: 'tools/check.ts',
  prove: 'tools/prove.ts',
  bench: 'tools/bench.ts',
  format: 'tools/format.ts',
};

/** @param {string} message @returns {never} */
function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/** The Node that the lockfile brought, else the running one when it is new enough. */
function findNode() {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const brought = join(
    root,
    'node_modules',
    `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
    'bin',
    file,
  );
  if (existsSync(brought)) return brought;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const wanted = readFileSync(join(root, '.nvmrc'), 'utf8').trim();
  return fail(
    `Strongroom needs Node ${wanted} (see .nvmrc); this is ${process.version} on ${process.platform}-${process.arch}, for which npm brings none.\n` +
      'Install it, for example with "nvm install", and run the command again.',
  );
}

/**
 * A terminal sends Ctrl-C to the whole foreground group, the child included: passing it on would make it two,
 * and a second one means "at once" to the server.
 * @param {NodeJS.Signals} signal
 */
const alreadySent = (signal) => signal === 'SIGINT' && process.stdin.isTTY;

/** @param {string} node @param {string[]} parameters */
function runTask(node, parameters) {
  const child = spawn(node, parameters, { stdio: 'inherit' });
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (!alreadySent(signal)) child.kill(signal);
    });
  }
  child.once('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.once('close', (code, signal) => {
    // The shells' convention for a program ended by a signal.
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
}

const [task = '', ...parameters] = process.argv.slice(2);
const usage = `Usage: node tools/run.mjs <${Object.keys(tasks).join('|')}> [arguments]

Each of them says with --help what it takes.

Example:
  node tools/run.mjs test --help`;
if (task === '--help') {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
if (!Object.hasOwn(tasks, task)) fail(usage, 2);
try {
  await ensureInstalled(root);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const script = join(root, tasks[/** @type {keyof typeof tasks} */ (task)]);
if (!existsSync(script)) fail(`${tasks[/** @type {keyof typeof tasks} */ (task)]} does not exist yet.`);
runTask(findNode(), ['--conditions=source', script, ...parameters]);
