import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { checkLockfile } from './internal/check-lockfile.ts';
import { write } from './internal/fixture.test-support.ts';

const packages = {
  '': { name: 'fixture', dependencies: { a: '1.0.0' } },
  'node_modules/a': {
    version: '1.0.0',
    integrity: 'sha512-a',
    dependencies: { b: '^2.0.0' },
    optionalDependencies: { 'a-linux': '1.0.0' },
  },
  'node_modules/a-linux': { version: '1.0.0', integrity: 'sha512-l', optional: true },
  'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/own': { resolved: 'packages/own', link: true },
  'packages/own': { name: 'own', version: '0.1.0', dependencies: { a: '1.0.0' } },
};

type Entry = Readonly<Record<string, unknown>>;

function check(changes: Readonly<Record<string, Entry | undefined>> = {}, dependencies: Entry = { a: '1.0.0' }) {
  const root = temporaryFolder();
  write(root, {
    'package.json': JSON.stringify({ name: 'fixture', dependencies: { a: '1.0.0' } }),
    'packages/own/package.json': JSON.stringify({ name: 'own', version: '0.1.0', dependencies }),
    'package-lock.json': JSON.stringify({ packages: { ...packages, ...changes } }),
  });
  return checkLockfile(root);
}

describe('the lockfile', () => {
  it('that is complete passes', async () => {
    expect(await check()).toMatchObject({ ok: true, line: expect.stringMatching(/^6 packages/) });
  });

  it.each([
    ['lacks the package for another platform', { 'node_modules/a-linux': undefined }, /a wants a-linux/],
    ['lacks a nested package', { 'node_modules/a/node_modules/b': undefined }, /a wants b/],
    ['has a package without integrity', { 'node_modules/a-linux': { version: '1.0.0' } }, /no integrity/],
    [
      'names an address',
      { 'node_modules/a-linux': { integrity: 'sha512-l', resolved: 'https://packages.test/a.tgz' } },
      /address/,
    ],
    [
      'has a package with an install script',
      { 'node_modules/a-linux': { integrity: 'sha512-l', hasInstallScript: true } },
      /install script/,
    ],
  ])('that %s fails', async (_what, changes, found) => {
    const result = await check(changes);
    expect(result.ok).toBe(false);
    expect(result.details?.join('\n')).toMatch(found);
  });

  it('that is older than a manifest fails', async () => {
    const result = await check({}, { a: '1.0.0', c: '3.0.0' });
    expect(result.details).toEqual(['packages/own/package.json is not what was locked; run npm install']);
  });
});
