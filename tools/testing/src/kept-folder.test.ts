import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeOrCopy, stateOf } from './kept-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('a kept folder', () => {
  it('is made once for each state, copied with its permissions, and made anew when that is wanted', async () => {
    const base = temporaryFolder();
    const shelf = join(base, 'shelf');
    let made = 0;
    let copies = 0;
    const wanted = async (state: string, isMadeAnew = false): Promise<string> => {
      copies += 1;
      const path = join(base, `copy-${copies}`);
      await makeOrCopy(path, { shelf, state, isMadeAnew }, async (where) => {
        made += 1;
        mkdirSync(join(where, 'closed'), { recursive: true, mode: 0o700 });
        writeFileSync(join(where, 'closed/file'), `made ${made}`);
      });
      expect(statSync(join(path, 'closed')).mode & 0o777).toBe(0o700);
      return readFileSync(join(path, 'closed/file'), 'utf8');
    };
    expect([await wanted('a'), await wanted('a')]).toEqual(['made 1', 'made 1']);
    expect(await wanted('b')).toBe('made 2');
    expect(readdirSync(shelf)).toEqual(['b']);
    expect(await wanted('b', true)).toBe('made 3');
    expect(await wanted('b')).toBe('made 3');
  });

  it('has another state as soon as a source file has, and not for a test', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'internal'));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return stateOf([folder]);
    };
    const first = write('internal/one.ts', 'one');
    expect(write('one.test.ts', 'changed')).toBe(first);
    expect(write('internal/one.ts', 'two')).not.toBe(first);
    expect(write('internal/one.ts', 'one')).toBe(first);
    expect(write('two.ts', '')).not.toBe(first);
    expect(existsSync(join(folder, 'two.ts'))).toBe(true);
  });
});
