/** Between a root and the key of a column lie keys that nobody may find later: no memory that a derivation wrote one to holds it afterwards. */
import { createHmac, createSecretKey, type Hmac, randomBytes } from 'node:crypto';
import { newUuid } from '@strongroom/kernel';
import { figure } from '@strongroom/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Algorithm } from '../algorithms.ts';
import { KeyHierarchy } from './key-hierarchy.ts';
import { LoadedSubject } from './loaded-subject.ts';
import { RootKeyring } from './root-keyring.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Watched {
  /** What HMAC gave out, as it was. */
  readonly made: Buffer[];
  /** What held any of it: the very memory, not copies. */
  readonly memory: Set<Uint8Array>;
}

/** Follows bytes from HMAC on through every array they are copied to. The platform is watched; the code under test is as it is. */
function watch(): Watched {
  const made: Buffer[] = [];
  const memory = new Set<Uint8Array>();
  const hmac = Object.getPrototypeOf(createHmac('sha256', 'any key')) as Hmac;
  const digest = Reflect.get(hmac, 'digest') as (this: Hmac) => Buffer;
  vi.spyOn(hmac, 'digest').mockImplementation(function (this: Hmac) {
    const block = digest.call(this);
    // Not by way of the pool that is looked into later.
    made.push(Buffer.from(new Uint8Array(block).buffer));
    memory.add(block);
    return block as unknown as string;
  });
  const set = Reflect.get(Uint8Array.prototype, 'set');
  vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, from, offset) {
    set.call(this, from, offset);
    memory.add(this);
  });
  return { made, memory };
}

const holds = (memory: Uint8Array, secret: Buffer): boolean =>
  Buffer.from(memory.buffer, memory.byteOffset, memory.length).includes(secret);

describe('the way to a key of a column', () => {
  const keyring = RootKeyring.create(0);
  const tenant = newUuid();
  const subject = newUuid();

  it.each(['xaes-256-gcm', 'aes-256-gcm'] as const satisfies readonly Algorithm[])(
    'leaves nothing behind of the keys it went through, under %s',
    (algorithm) => {
      const hierarchy = new KeyHierarchy(keyring);
      const loaded = new LoadedSubject(subject, createSecretKey(randomBytes(32)));
      const header = { algorithm, keyVersion: keyring.currentVersion };
      const { made, memory } = watch();
      const key = hierarchy.columnKey(header, { tenant, table: 'people', column: 'name', subject }, loaded);
      vi.restoreAllMocks();
      const value = Buffer.from(key.seal('row', 'text'));
      // What commits to a key is public, and stands in every value.
      const secrets = made.filter((block) => !value.includes(block));
      // Tenant, the person's share, the person, and the column.
      expect([made.length, secrets.length]).toEqual([5, 4]);
      expect(memory.size).toBeGreaterThan(10);
      for (const held of memory) for (const secret of secrets) expect(holds(held, secret)).toBe(false);
      // Nor in what the next buffer of anybody is cut from.
      const pool = new Uint8Array(Buffer.allocUnsafe(1).buffer);
      for (const secret of secrets) expect(holds(pool, secret)).toBe(false);
      figure(`${secrets.length} keys on the way to one of a column, in ${memory.size} pieces of memory: none left`);
    },
  );
});
