import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RootKeyring } from './root-keyring.ts';

const version = (number: number, fill = number) => ({
  version: number,
  createdAt: 1_700_000_000_000 + number,
  scheme: number % 2 === 0 ? ('derived' as const) : ('tree' as const),
  secret: createSecretKey(new Uint8Array(32).fill(fill)),
});

const rest = { revision: 5, tree: { version: 3, secret: createSecretKey(new Uint8Array(32).fill(77)) } };

describe('RootKeyring', () => {
  it('comes back from its bytes', () => {
    const material = new RootKeyring({ ...rest, current: 9, lookup: 3, versions: [version(3), version(9)] }).encode();
    const keyring = RootKeyring.decode(material);
    expect([keyring.currentVersion, keyring.lookupVersion]).toEqual([9, 3]);
    expect(keyring.version(3)!.secret.export()).toEqual(Buffer.alloc(32, 3));
    expect(keyring.version(9)!.secret.export()).toEqual(Buffer.alloc(32, 9));
    expect(keyring.version(1)).toBeUndefined();
    expect([keyring.revision, keyring.treeVersion, keyring.version(9)!.scheme]).toEqual([5, 3, 'tree']);
    expect(keyring.treeSecret().export()).toEqual(Buffer.alloc(32, 77));
    expect(keyring.encode()).toEqual(material);
  });

  it('changes without losing anything', () => {
    const keyring = new RootKeyring({ ...rest, current: 9, lookup: 3, versions: [version(3), version(9)] });
    const changed = keyring.withNewTreeRoot().withNewVersion(7).withCurrent(10).without(9).restated();
    expect([changed.revision, changed.treeVersion, changed.currentVersion, changed.lookupVersion]).toEqual([
      10, 4, 10, 3,
    ]);
    expect(changed.treeSecret().equals(keyring.treeSecret())).toBe(false);
    expect(changed.listVersions().map((entry) => entry.version)).toEqual([3, 10]);
    expect(changed.version(3)!.secret.equals(keyring.version(3)!.secret)).toBe(true);
    expect(() => changed.without(3)).toThrow('lookup');
    expect(() => changed.without(10)).toThrow('current');
    const retired = changed.withLookupOnly(3);
    expect(RootKeyring.decode(retired.encode()).version(3)!.scheme).toBe('lookup');
    expect(() => changed.withLookupOnly(10)).toThrow('current');
    const full = Array.from({ length: 64 }, (_, index) => version(index + 1));
    expect(() => new RootKeyring({ ...rest, current: 9, lookup: 3, versions: full }).withNewVersion(7)).toThrow(
      expect.objectContaining({ code: 'encryption.too-many-versions' }),
    );
  });

  it('does not depend on the bytes it was read from', () => {
    const material = RootKeyring.create(0).encode();
    const copy = Uint8Array.from(material);
    const keyring = RootKeyring.decode(material);
    material.fill(0);
    expect(keyring.encode()).toEqual(copy);
  });

  it('is random when new', () => {
    expect(RootKeyring.create(0).encode()).not.toEqual(RootKeyring.create(0).encode());
  });

  it('is refused when any part of its structure is wrong', () => {
    const material = new RootKeyring({ ...rest, current: 2, lookup: 1, versions: [version(1), version(2)] }).encode();
    const secrets = new Set(
      [0, 1].flatMap((entry) => Array.from({ length: 32 }, (_, byte) => 63 + entry * 45 + 13 + byte)),
    );
    const times = new Set(
      [0, 1].flatMap((entry) => Array.from({ length: 8 }, (_, byte) => 63 + entry * 45 + 4 + byte)),
    );
    for (let index = 0; index < material.length; index += 1) {
      // Secrets, times and counters may have any value; the slot's checksum guards those.
      const counters = (index >= 5 && index < 13) || (index >= 21 && index < 61);
      if (secrets.has(index) || times.has(index) || counters) continue;
      const changed = Uint8Array.from(material);
      changed[index]! ^= 0x40;
      expect(() => RootKeyring.decode(changed), `byte ${index}`).toThrow(
        expect.objectContaining({ code: 'encryption.root-damaged' }),
      );
    }
    for (let length = 0; length < material.length; length += 1) {
      expect(() => RootKeyring.decode(material.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'encryption.root-damaged' }),
      );
    }
  });

  it('holds only versions that fit together', () => {
    expect(() => new RootKeyring({ ...rest, current: 1, lookup: 1, versions: [version(1), version(1)] })).toThrow(
      'distinct',
    );
    expect(() => new RootKeyring({ ...rest, current: 2, lookup: 1, versions: [version(1)] })).toThrow('current');
    expect(() => new RootKeyring({ ...rest, current: 1, lookup: 2, versions: [version(1)] })).toThrow('lookup');
    expect(() => new RootKeyring({ ...rest, current: 0, lookup: 0, versions: [version(0)] })).toThrow('from 1');
    const many = Array.from({ length: 65 }, (_, index) => version(index + 1));
    expect(() => new RootKeyring({ ...rest, current: 1, lookup: 1, versions: many })).toThrow('at most 64');
  });
});
