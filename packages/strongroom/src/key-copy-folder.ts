/** One folder with copies of the key tree, named after the roots beneath which they open: `keys-8.age`, or `keys-7-8.age` for one made in between. */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { destroyFile } from '@strongroom/backup';

const NAME = /^keys-(?:\d+-)?(\d+)\.age$/;
/** What a process that was killed leaves behind. */
const PARTIAL = /^\.keys-[\d-]+\.age\.[0-9a-f]+\.partial$/;
/** Milliseconds after which nobody writes a file any more that was begun. */
const GIVEN_UP = 60 * 60 * 1000;

export const copyName = (version: number): string => `keys-${version}.age`;
/** Opens beneath the root that is about to be replaced and beneath the one that will take its place. */
export const changeName = (version: number, next: number): string => `keys-${version}-${next}.age`;

/** The last version whose root opens it; `undefined` for what is no copy of the keys. */
function lastVersion(name: string): number | undefined {
  const found = NAME.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Whether the folder has the copy for this version, and the other copies that say no more than it does. Rejects when it cannot be read. */
export async function look(
  folder: string,
  version: number,
): Promise<{ readonly isPresent: boolean; readonly outdated: readonly string[] }> {
  const names = await readdir(folder);
  const outdated = names.filter((name) => {
    const last = lastVersion(name);
    return last !== undefined && last <= version && name !== copyName(version);
  });
  return { isPresent: names.includes(copyName(version)), outdated: outdated.map((name) => path.join(folder, name)) };
}

/** Overwrites and removes these copies, and what was begun long ago. */
export async function clear(folder: string, outdated: readonly string[], now: number): Promise<void> {
  for (const file of outdated) await destroyFile(file);
  for (const name of await readdir(folder)) {
    if (!PARTIAL.test(name)) continue;
    const file = path.join(folder, name);
    if (now - (await stat(file)).mtimeMs > GIVEN_UP) await rm(file, { force: true });
  }
}

/** The copy that was made last, of those in a folder; the path itself when it is none. `undefined` for a folder without one. */
export async function newestCopy(place: string): Promise<string | undefined> {
  if (!(await stat(place)).isDirectory()) return place;
  const versions = (await readdir(place)).flatMap((name) => {
    const version = lastVersion(name);
    return version === undefined ? [] : [{ name, version, isWhole: name === copyName(version) }];
  });
  const [newest] = versions.toSorted(
    (one, other) => other.version - one.version || Number(other.isWhole) - Number(one.isWhole),
  );
  return newest === undefined ? undefined : path.join(place, newest.name);
}
