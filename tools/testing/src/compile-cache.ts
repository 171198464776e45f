import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './corpora.ts';

/** Where it begins anew: vitest gives test files another name in every run, so that they are never found again. Files. */
const MOST_FILES = 5_000;

/**
 * Where Node keeps modules compiled and without types, from one run to the next: what every process would make again out of the same
 * text. Node compares the text, hence nothing in here is ever out of date.
 */
export function compileCache(folder = join(cacheFolder, 'compiled')): string {
  if (existsSync(folder) && readdirSync(folder, { recursive: true }).length > MOST_FILES) {
    rmSync(folder, { recursive: true, force: true });
  }
  return folder;
}
