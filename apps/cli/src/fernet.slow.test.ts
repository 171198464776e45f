/** `strongroom fernet` with several keys, against MultiFernet of Python's cryptography. */
import { spawnSync } from 'node:child_process';
import { figure, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { Device } from './running-vault.fixture.ts';

const device = new Device();

const python = (program: string, ...words: readonly string[]): string => {
  const imports =
    'import sys\nfrom cryptography.fernet import Fernet, MultiFernet\nkeys = sys.argv[2:]\nmulti = MultiFernet([Fernet(key) for key in keys])\n';
  const run = spawnSync('python3', ['-c', imports + program, ...words], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout.trim();
};

const fernet = async (command: string, keys: readonly string[], input: string): Promise<string> => {
  const { code, stdout, stderr } = await device.run(['fernet', command, ...keys.flatMap((key) => ['--key', key])], {
    input,
  });
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return stdout.trim();
};

describe.skipIf(!needs('python-cryptography'))('several keys', () => {
  it('encrypt with the first and decrypt with any, here and in Python', async () => {
    const made = await Promise.all([1, 2, 3].map(() => device.lines('fernet', 'generate-key')));
    const [newest, older, stranger] = made.map((key) => key.trim()) as [string, string, string];
    const keys = [newest, older];
    const token = await fernet('encrypt', keys, 'from here');
    expect(python('print(multi.decrypt(sys.argv[1].encode()).decode())', token, ...keys)).toBe('from here');
    // The first key alone opens it, the second does not.
    expect(await fernet('decrypt', [newest], token)).toBe('from here');
    await expect(fernet('decrypt', [older], token)).rejects.toThrow('2: ');
    const theirs = python('print(multi.encrypt(sys.argv[1].encode()).decode())', 'from there', older, newest);
    expect(await fernet('decrypt', keys, theirs)).toBe('from there');
    await expect(fernet('decrypt', [stranger], theirs)).rejects.toThrow('2: ');
    const rotated = await fernet('rotate', keys, theirs);
    expect(await fernet('decrypt', [newest], rotated)).toBe('from there');
    const time = 'print(Fernet(keys[-1]).extract_timestamp(sys.argv[1].encode()))';
    expect(python(time, rotated, newest)).toBe(python(time, theirs, older));
    await expect(fernet('rotate', [stranger], theirs)).rejects.toThrow('2: ');
    figure('`fernet` with several keys and MultiFernet of Python: tokens read both ways, rotated with their time kept');
  });
});
