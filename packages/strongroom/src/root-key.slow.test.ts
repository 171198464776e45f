import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { createStrongroom } from './create-strongroom.ts';

const quiet = { request: () => {}, failure: () => {}, jobFinished: () => {} };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('starting again', () => {
  it('is the same installation, refuses a missing and a foreign root key, and changes nothing by refusing', async () => {
    const data = temporaryFolder();
    const options = { data, durability: 'relaxed', log: quiet } as const;
    const first = await createStrongroom(options);
    const { installation } = first;
    await first.close();

    const key = path.join(data, 'keys', 'root');
    const kept = await readFile(key);
    await rm(key);
    await expect(createStrongroom(options)).rejects.toThrow(code('encryption.root-missing'));
    await expect(readFile(key)).rejects.toThrow('ENOENT');

    const foreign = temporaryFolder();
    await (await createStrongroom({ ...options, data: foreign })).close();
    await writeFile(key, await readFile(path.join(foreign, 'keys', 'root')), { mode: 0o600 });
    await expect(createStrongroom(options)).rejects.toThrow(code('strongroom.wrong-root-key'));

    await writeFile(key, kept);
    const again = await createStrongroom(options);
    expect(again.installation).toBe(installation);
    await again.close();
  });
});
