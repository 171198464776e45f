import { join } from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';

const fresh = (): Promise<Encryption> => createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root.key')) });

describe('keyed hashes', () => {
  it('are 32 bytes, repeatable, and separated by tenant, table and column', async () => {
    const encryption = await fresh();
    const place = { tenant: newUuid(), table: 'accounts', column: 'email' };
    const index = encryption.blindIndex(place, 'ada@example.org');
    expect(index).toHaveLength(32);
    expect(encryption.blindIndex({ ...place }, 'ada@example.org')).toEqual(index);
    for (const other of [
      encryption.blindIndex(place, 'ada@example.com'),
      encryption.blindIndex({ ...place, tenant: newUuid() }, 'ada@example.org'),
      encryption.blindIndex({ ...place, tenant: null }, 'ada@example.org'),
      encryption.blindIndex({ ...place, table: 'people' }, 'ada@example.org'),
      encryption.blindIndex({ ...place, column: 'name' }, 'ada@example.org'),
      (await fresh()).blindIndex(place, 'ada@example.org'),
    ]) {
      expect(other).not.toEqual(index);
    }
    expect(() => encryption.blindIndex(place, '\u{DC00}')).toThrow(
      expect.objectContaining({ code: 'encryption.malformed-text' }),
    );
  });

  it('are separated by purpose', async () => {
    const encryption = await fresh();
    const input = Uint8Array.of(1, 2, 3);
    const hash = encryption.keyedHash('session token', input);
    expect(hash).toHaveLength(32);
    expect(encryption.keyedHash('session token', input)).toEqual(hash);
    expect(encryption.keyedHash('invitation token', input)).not.toEqual(hash);
    expect(encryption.keyedHash('session token', Uint8Array.of(1, 2))).not.toEqual(hash);
    expect(() => encryption.keyedHash('', input)).toThrow(TypeError);
  });
});
