#!/usr/bin/env node
// Starts the command line on the Node this repository brings, whatever Node found this file first.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The oldest Node that runs TypeScript directly and has Argon2 built in. */
const NODE_MAJOR = 24;

const here = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(here, '../src/main.ts');
const built = path.join(here, '../dist/main.js');
const dependencies = path.join(here, '../../../node_modules');
const bundledNode = path.join(dependencies, '.bin/node');

const runningMajor = Number(process.versions.node.split('.')[0]);
const node = runningMajor >= NODE_MAJOR ? process.execPath : existsSync(bundledNode) ? bundledNode : undefined;
if (node === undefined) {
  process.stderr.write(`strongroom needs Node ${NODE_MAJOR} or later; this is ${process.versions.node}.\n`);
  process.exit(1);
}

const program = existsSync(source) ? ['--conditions=source', source] : [built];
// What one command has compiled the next one need not, which halves its time. Beside the code: whoever may write there may change that, too.
const env = { NODE_COMPILE_CACHE: path.join(dependencies, '.cache/strongroom'), ...process.env };
const child = spawn(node, [...program, ...process.argv.slice(2)], { stdio: 'inherit', env });
// The child sees the terminal's signals itself and decides; the launcher only waits, so that its exit code is the child's.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 1);
});
