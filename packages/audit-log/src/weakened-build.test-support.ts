/** Builds of this package from which one check was taken out, to show what would go unnoticed without it. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '@strongroom/testing';
import type * as entry from './entry.ts';
import type * as verifyLog from './verify-log.ts';

/** In this file, this text becomes that one. */
export type Removal = readonly [file: string, from: string, to: string];

export interface Build {
  readonly verifyLog: typeof verifyLog.verifyLog;
  readonly eventLeaf: typeof entry.eventLeaf;
}

const PACKAGE = join(import.meta.dirname, '..');

/** Node itself loads it, so that nothing of the build under test is shared with it. Throws when there is nothing to take out. */
export async function buildWithout(removals: readonly Removal[]): Promise<Build> {
  const folder = temporaryFolder();
  cpSync(join(PACKAGE, 'package.json'), join(folder, 'package.json'));
  cpSync(join(PACKAGE, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (path) => !/\.(?:test|test-support)\.ts$/.test(path),
  });
  symlinkSync(join(PACKAGE, '../../node_modules'), join(folder, 'node_modules'));
  for (const [file, from, to] of removals) {
    const path = join(folder, 'src', file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no "${from}"`);
    writeFileSync(path, text.replace(from, to));
  }
  const load = (file: string) =>
    import(/* @vite-ignore */ pathToFileURL(join(folder, 'src', file)).href) as Promise<unknown>;
  const { verifyLog: verify } = (await load('verify-log.ts')) as Pick<Build, 'verifyLog'>;
  const { eventLeaf } = (await load('entry.ts')) as Pick<Build, 'eventLeaf'>;
  return { verifyLog: verify, eventLeaf };
}
