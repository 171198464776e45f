import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileCache } from './compile-cache.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the cache of compiled modules', () => {
  it('is known to test processes', () => {
    expect(process.env['NODE_COMPILE_CACHE']).toBeTruthy();
  });

  it('is kept, and begins anew before it grows for ever', () => {
    const folder = join(temporaryFolder(), 'cache');
    const below = join(compileCache(folder), 'version');
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, 'one'), '');
    expect(readdirSync(compileCache(folder), { recursive: true })).toHaveLength(2);
    for (let index = 0; index < 5_000; index += 1) writeFileSync(join(below, String(index)), '');
    compileCache(folder);
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });
});
