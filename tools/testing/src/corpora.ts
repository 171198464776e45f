import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's root folder. */
export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** What may be removed at any time and only makes the next run slower. */
export const cacheFolder = join(repositoryRoot, 'node_modules/.cache/strongroom-tests');

/** Where shared test data lies: `STRONGROOM_CORPORA`, by default beside the checkout. */
export const corporaFolder = (): string =>
  process.env['STRONGROOM_CORPORA'] ?? resolve(repositoryRoot, '../shared/corpora');

/** The absolute path of a shared test file or folder, `undefined` where it is absent: then skip with `needs('corpora:…')`. */
export function corpora(...path: readonly string[]): string | undefined {
  const full = join(corporaFolder(), ...path);
  return existsSync(full) ? full : undefined;
}
