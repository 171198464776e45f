/** A folder that costs seconds to make, kept from one run of the tests to the next for as long as it would come out the same. */
import { hash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { readWish } from './wish.ts';

/** Differs as soon as one of the files does that something is made with; folders stand for their source files, tests left out. */
export function stateOf(paths: readonly string[]): string {
  const files = paths.flatMap((path) =>
    statSync(path).isFile()
      ? [path]
      : readdirSync(path, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts') && !name.includes('.test'))
          .map((name) => join(path, name))
          .toSorted(),
  );
  const texts = files.map((file) => `${file}\0${hash('sha256', readFileSync(file))}`);
  return hash('sha256', [process.version, ...texts].join('\n')).slice(0, 16);
}

/** Like `cp -a`: Node's own copy opens folders to others. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  const folders = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map((entry) => join(entry.parentPath, entry.name).slice(from.length));
  for (const name of ['', ...names]) chmodSync(to + name, statSync(from + name).mode);
}

/**
 * Makes the folder `path`, or copies what an earlier run made of the same `state`. In CI and with `npm test -- --all` it is made each
 * time. `shelf`: where it is kept, one at a time.
 */
export async function makeOrCopy(
  path: string,
  { shelf, state, isMadeAnew = readWish().slow }: { shelf: string; state: string; isMadeAnew?: boolean },
  make: (path: string) => Promise<void>,
): Promise<void> {
  const kept = join(shelf, state);
  if (!isMadeAnew && existsSync(kept)) {
    try {
      copyFolder(kept, path);
      return;
    } catch {
      // Another run replaced it at this moment.
      rmSync(path, { recursive: true, force: true });
    }
  }
  await make(path);
  rmSync(shelf, { recursive: true, force: true });
  mkdirSync(shelf, { recursive: true, mode: 0o700 });
  copyFolder(path, `${kept}.${process.pid}.new`);
  renameSync(`${kept}.${process.pid}.new`, kept);
}
