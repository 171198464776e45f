import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect } from 'vitest';
import { corpora, corporaFolder } from './corpora.ts';
import { pkcs11Library, softHsmModule } from './pkcs11.ts';
import { findPostgres } from './postgres-process.ts';
import { addRecord } from './run-folder.ts';

/** A real part that some tests run against and that a machine may lack. */
export type Part =
  | 'postgresql'
  | 'chromium'
  | 'python-cryptography'
  | 'gdb'
  | 'strace'
  | 'age'
  | 'softhsm'
  | 'pkcs11js'
  | 'redis'
  | 'zsh'
  | 'fish'
  | 'mount'
  | 'process-memory'
  | 'network'
  | `corpora:${string}`;

const runs = (command: string, ...parameters: readonly string[]): boolean =>
  spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;

/** An address of this machine that others could reach, to which nothing here is loopback. */
export const ownAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

/** Tries each part for real; returns why it cannot be used. */
const probes: Readonly<Record<Exclude<Part, `corpora:${string}`>, () => string | undefined>> = {
  postgresql: () => (findPostgres() === undefined ? 'install the Debian package postgresql (15 or later)' : undefined),
  chromium: () => (runs('chromium', '--version') ? undefined : 'install the Debian package chromium'),
  'python-cryptography': () =>
    runs('python3', '-c', 'import cryptography') ? undefined : 'install the Debian package python3-cryptography',
  gdb: () => (runs('gdb', '--version') ? undefined : 'install the Debian package gdb'),
  strace: () => (runs('strace', '-f', 'true') ? undefined : 'install the Debian package strace, with tracing allowed'),
  age: () => (runs('age', '--version') ? undefined : 'install the Debian package age'),
  softhsm: () =>
    runs('softhsm2-util', '--version') && softHsmModule !== undefined
      ? undefined
      : 'install the Debian package softhsm2',
  pkcs11js: () =>
    runs(process.execPath, pkcs11Library)
      ? undefined
      : 'run npm ci --prefix tools/optional/pkcs11, which compiles it (or name another installation in STRONGROOM_PKCS11)',
  redis: () => (runs('redis-server', '--version') ? undefined : 'install the Debian package redis-server'),
  zsh: () => (runs('zsh', '--version') ? undefined : 'install the Debian package zsh'),
  fish: () => (runs('fish', '--version') ? undefined : 'install the Debian package fish'),
  // A namespace of its own: the file system vanishes with the process, and `/mnt` is covered for nobody else.
  mount: () =>
    runs('unshare', '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt')
      ? undefined
      : 'allow a process to mount a file system in a namespace of its own (a container needs CAP_SYS_ADMIN for that)',
  'process-memory': () =>
    existsSync('/proc/self/mem') ? undefined : 'run on Linux, where the memory of a process can be read as a file',
  network: () => (ownAddress() === undefined ? 'give this machine an IPv4 address beside the loopback one' : undefined),
};

const answers = new Map<Part, string | undefined>();

function whyMissing(part: Part): string | undefined {
  if (part.startsWith('corpora:')) {
    const folder = part.slice('corpora:'.length);
    return corpora(folder) === undefined ? `no "${folder}" in ${corporaFolder()}` : undefined;
  }
  return probes[part as keyof typeof probes]();
}

/**
 * Whether a part is here: `describe.skipIf(!needs('chromium'))('…', …)`. A missing one is remembered with the test file, so that
 * the run's last lines say how many tests were skipped for it; with `CI=true` that is a failure.
 */
export function needs(part: Part): boolean {
  if (!answers.has(part)) answers.set(part, whyMissing(part));
  const reason = answers.get(part);
  if (reason === undefined) return true;
  addRecord('missing', { file: expect.getState().testPath ?? '', part, reason });
  return false;
}
