import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity } from '@strongroom/backup';
import { ENVIRONMENT_VARIABLE, newEnvironmentKey } from '@strongroom/encryption';
import { temporaryFolder } from '@strongroom/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createStrongroom } from './create-strongroom.ts';
import { restoreVault } from './restore-vault.ts';
import { ROOT_SLOTS } from './root-slots.ts';

const quiet = { request: () => {}, failure: () => {}, jobFinished: () => {} };
const code = (expected: string) => expect.objectContaining({ code: expected });

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a vault whose root key is in another slot', () => {
  it('starts, is backed up, rotated with an escrow, and restored from that slot', { timeout: 120_000 }, async () => {
    const [data, keys, folder] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const escrow = join(folder, 'escrow');
    vi.stubEnv(ENVIRONMENT_VARIABLE, newEnvironmentKey());
    vi.stubEnv(ROOT_SLOTS, `environment:${join(keys, 'root')} file:${escrow}`);
    const { identity, recipient } = await generateIdentity('x25519');
    const options = { data, durability: 'relaxed', log: quiet } as const;
    const vault = await createStrongroom(options);
    const { installation, services } = vault;
    const copy = { path: join(folder, 'keys.age'), recipients: [recipient] };
    await services.keys.rotate({ scope: { kind: 'root' }, copy });
    await services.rotations.work();
    const { slots, rotations } = await services.keys.overview();
    expect(rotations).toMatchObject([{ state: 'complete', retired: [1] }]);
    expect(slots).toMatchObject([
      { erasure: 'none', acknowledged: true },
      { erasure: 'overwritten', acknowledged: true },
    ]);
    // What is there already is never written over.
    await expect(services.keys.shred([installation], copy, 'command-line')).rejects.toThrow(code('backup.file-exists'));
    const path = join(folder, 'whole.age');
    await services.backups.create({ path, recipients: [recipient] }, 'command-line');
    await vault.close();
    expect(existsSync(join(data, 'keys', 'root'))).toBe(false);

    const restored = temporaryFolder();
    await restoreVault({ data: restored, path, identities: [identity] });
    const again = await createStrongroom({ ...options, data: restored });
    expect(again.installation).toBe(installation);
    await again.close();

    // The escrow alone will do; the file in the data folder, which there is not, will not.
    vi.stubEnv(ROOT_SLOTS, `file:${escrow}`);
    await restoreVault({ data: temporaryFolder(), path, identities: [identity] });
    vi.stubEnv(ROOT_SLOTS, undefined);
    await expect(restoreVault({ data: temporaryFolder(), path, identities: [identity] })).rejects.toThrow(
      code('encryption.root-missing'),
    );
  });
});
