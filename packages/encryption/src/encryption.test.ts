import { createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import { rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { algorithms, type Algorithm } from './algorithms.ts';
import { derivedSlot } from './derived-slot.test-support.ts';
import { createEncryption, type Encryption } from './encryption.ts';
import { EncryptionError, type EncryptionErrorCode } from './errors.ts';
import { RootKeyring } from './internal/root-keyring.ts';
import type { Place } from './place.ts';
import type { RootSlot } from './root-slot.ts';

/** A slot in memory: real behaviour of the contract, without a disk. */
function memorySlot(material?: Uint8Array): RootSlot & { stored: Uint8Array | undefined } {
  return {
    name: 'memory',
    erasure: 'overwritten',
    stored: material,
    load() {
      return Promise.resolve(
        this.stored === undefined ? undefined : { material: Uint8Array.from(this.stored), generation: 1 },
      );
    },
    store(bytes, replaces) {
      if (replaces === 0 && this.stored !== undefined) {
        return Promise.reject(new EncryptionError('encryption.root-conflict'));
      }
      this.stored = Uint8Array.from(bytes);
      return Promise.resolve();
    },
  };
}

const secretOf = (fill: number) => createSecretKey(new Uint8Array(32).fill(fill));

const keyringOf = (current: number, versions: readonly number[], lookup = 1): Uint8Array =>
  new RootKeyring({
    revision: 1,
    current,
    lookup,
    tree: { version: 1, secret: secretOf(99) },
    versions: versions.map((version) => ({
      version,
      createdAt: 1_700_000_000_000,
      scheme: 'derived',
      secret: secretOf(version),
    })),
  }).encode();

const fresh = (): Promise<Encryption> => createEncryption({ slot: derivedSlot() });

const somewhere = (): Place => ({
  tenant: newUuid(),
  table: 'accounts',
  column: 'email',
  row: newUuid(),
  subject: newUuid(),
});

function codeOf(work: () => unknown): EncryptionErrorCode | 'no error' {
  try {
    work();
  } catch (error) {
    if (error instanceof EncryptionError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('sealed values', () => {
  it('open in another process with the same root and in none with another root', async () => {
    const slot = memorySlot(keyringOf(1, [1]));
    const place = somewhere();
    const value = (await createEncryption({ slot })).seal(place, 'x');
    expect((await createEncryption({ slot })).openText(place, value)).toBe('x');
    const stranger = await fresh();
    expect(codeOf(() => stranger.open(place, value))).toBe('encryption.cannot-open');
  });

  it('keep a byte order mark, and refuse text that UTF-8 cannot hold', async () => {
    const encryption = await fresh();
    const place = somewhere();
    expect(encryption.openText(place, encryption.seal(place, '\u{FEFF}x'))).toBe('\u{FEFF}x');
    expect(codeOf(() => encryption.seal(place, 'x\u{D800}'))).toBe('encryption.malformed-text');
    expect(codeOf(() => encryption.openText(place, encryption.seal(place, Uint8Array.of(0xff))))).toBe(
      'encryption.cannot-open',
    );
  });

  it('come as plain byte arrays that own their view', async () => {
    const encryption = await fresh();
    const place = somewhere();
    const value = encryption.seal(place, 'x');
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    expect(Object.getPrototypeOf(encryption.open(place, value))).toBe(Uint8Array.prototype);
    // A database driver hands out Buffers.
    expect(encryption.openText(place, Buffer.from(value))).toBe('x');
  });
});

/** Lengths of whole values as docs/format/fields.md states them, by the plaintext's length. */
const lengths: Readonly<Record<Algorithm, (plaintext: number) => number>> = {
  'aes-256-gcm': (plaintext) => 66 + plaintext,
  'xaes-256-gcm': (plaintext) => 78 + plaintext,
  fernet: (plaintext) => 38 + 4 * Math.ceil((57 + 16 * (Math.floor(plaintext / 16) + 1)) / 3),
};
const allAlgorithms = Object.keys(lengths) as Algorithm[];

describe.each(allAlgorithms)('a value of %s', (algorithm) => {
  it('is read back, and shows how long it is', async () => {
    const encryption = await fresh();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.string({ unit: 'grapheme' }),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (bytes, text, row) => {
          const place = { ...somewhere(), row };
          const value = encryption.seal(place, bytes, algorithm);
          expect(value.length).toBe(lengths[algorithm](bytes.length));
          expect(encryption.open(place, value)).toEqual(bytes);
          expect(encryption.openText(place, encryption.seal(place, text, algorithm))).toBe(text);
        },
      ),
    );
  });

  it('has keys of its own and differs each time', async () => {
    const encryption = await fresh();
    const place = somewhere();
    const value = encryption.seal(place, 'x', algorithm);
    for (const other of allAlgorithms.filter((name) => name !== algorithm)) {
      expect(value.subarray(6, 38)).not.toEqual(encryption.seal(place, 'x', other).subarray(6, 38));
    }
    const values = Array.from({ length: 1500 }, () => encryption.seal(place, '', algorithm));
    expect(new Set(values.map((each) => Buffer.from(each).toString('hex'))).size).toBe(values.length);
  });

  it('does not open with any bit changed, cut short at any length, or with bytes added', async () => {
    const encryption = await fresh();
    const place = somewhere();
    const value = encryption.seal(place, 'twenty-one characters', algorithm);
    const known = new Set<number>(Object.values(algorithms));
    for (let index = 0; index < value.length; index += 1) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const changed = Uint8Array.from(value);
        changed[index]! ^= bit;
        const expected =
          index === 0 || (index === 1 && !known.has(changed[1]!))
            ? 'encryption.unknown-version'
            : index > 1 && index < 6
              ? 'encryption.key-missing'
              : 'encryption.cannot-open';
        expect(codeOf(() => encryption.open(place, changed))).toBe(expected);
      }
      expect(codeOf(() => encryption.open(place, value.subarray(0, index)))).toBe('encryption.cannot-open');
    }
    for (const added of [Uint8Array.of(0), value.subarray(-4)]) {
      expect(codeOf(() => encryption.open(place, Buffer.concat([value, added])))).toBe('encryption.cannot-open');
    }
    expect(codeOf(() => encryption.open(place, Uint8Array.of(0, ...value)))).toBe('encryption.unknown-version');
  });

  it('cannot be passed off as one of another algorithm or key version', async () => {
    const encryption = await createEncryption({ slot: memorySlot(keyringOf(2, [1, 2])) });
    const place = somewhere();
    const value = encryption.seal(place, 'long enough for all of them', algorithm);
    for (const other of allAlgorithms.filter((name) => name !== algorithm)) {
      const passedOff = value.with(1, algorithms[other]);
      expect(codeOf(() => encryption.open(place, passedOff))).toBe('encryption.cannot-open');
      // With the other's commitment, which stands in every value, it is the other's key that has to fit.
      passedOff.set(encryption.seal(place, 'x', other).subarray(6, 38), 6);
      expect(codeOf(() => encryption.open(place, passedOff))).toBe('encryption.cannot-open');
    }
    expect(codeOf(() => encryption.open(place, value.with(5, 1)))).toBe('encryption.cannot-open');
    expect(encryption.openText(place, value)).toBe('long enough for all of them');
  });
});

describe('a Fernet token in a value', () => {
  it('shows when it was written, and has one spelling', async () => {
    const encryption = await fresh();
    const place = somewhere();
    const before = Math.floor(Date.now() / 1000);
    const value = encryption.seal(place, 'x', 'fernet');
    const token = Buffer.from(value.subarray(38)).toString('latin1');
    const written = Number(Buffer.from(token, 'base64url').readBigUInt64BE(1));
    expect(written).toBeGreaterThanOrEqual(before);
    expect(written).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
    const spelled = (text: string) => Buffer.concat([value.subarray(0, 38), Buffer.from(text, 'latin1')]);
    expect(encryption.openText(place, spelled(token))).toBe('x');
    for (const text of [
      `${token}\n`,
      ` ${token}`,
      token.replace(/=*$/, ''),
      `${token}=`,
      `${token.slice(0, 40)}\n${token.slice(40)}`,
    ]) {
      if (text !== token) expect(codeOf(() => encryption.open(place, spelled(text)))).toBe('encryption.cannot-open');
    }
  });
});

describe('a value that is not where it was sealed', () => {
  const moves: readonly [string, (place: Place) => Place][] = [
    ['row', (place) => ({ ...place, row: newUuid() })],
    ['column', (place) => ({ ...place, column: 'display_name' })],
    ['table', (place) => ({ ...place, table: 'people' })],
    ['tenant', (place) => ({ ...place, tenant: newUuid() })],
    ['installation', (place) => ({ ...place, tenant: null })],
    ['subject', (place) => ({ ...place, subject: newUuid() })],
    ['nobody', (place) => ({ ...place, subject: null })],
    ['table and column joined differently', (place) => ({ ...place, table: 'accountse', column: 'mail' })],
    ['tenant and subject swapped', (place) => ({ ...place, tenant: place.subject, subject: place.tenant })],
  ];

  it.each(moves)('does not open: %s', async (_, move) => {
    const encryption = await fresh();
    const place = somewhere();
    for (const algorithm of allAlgorithms) {
      const value = encryption.seal(place, 'x', algorithm);
      const moved = move(place);
      expect(codeOf(() => encryption.open(moved, value))).toBe('encryption.cannot-open');
      // Not by the commitment alone, which whoever writes the table can copy from a value of that place.
      const dressed = Uint8Array.from(value);
      dressed.set(encryption.seal(moved, 'y', algorithm).subarray(0, 38));
      expect(codeOf(() => encryption.open(moved, dressed))).toBe('encryption.cannot-open');
      expect(encryption.openText(place, value)).toBe('x');
    }
  });

  it('does not open for any pair of different places', async () => {
    const encryption = await fresh();
    const ids = [newUuid(), newUuid()];
    const names = fc.constantFrom('a', 'b', 'ab');
    const places: fc.Arbitrary<Place> = fc.record({
      tenant: fc.constantFrom<Uuid | null>(null, ...ids),
      table: names,
      column: names,
      row: fc.constantFrom('1', '2', '12'),
      subject: fc.constantFrom<Uuid | null>(null, ...ids),
    });
    const text = ({ tenant, table, column, row, subject }: Place) =>
      JSON.stringify([tenant, table, column, row, subject]);
    fc.assert(
      fc.property(places, places, fc.constantFrom(...allAlgorithms), (from, to, algorithm) => {
        const value = encryption.seal(from, 'x', algorithm);
        expect(codeOf(() => encryption.open(to, value))).toBe(
          text(from) === text(to) ? 'no error' : 'encryption.cannot-open',
        );
      }),
      { numRuns: rounds(300, 1000) },
    );
  });

  it('cannot be passed off as one of another key version', async () => {
    const encryption = await createEncryption({ slot: memorySlot(keyringOf(1, [1, 2])) });
    const place = somewhere();
    const value = encryption.seal(place, 'x');
    value[5] = 2;
    expect(codeOf(() => encryption.open(place, value))).toBe('encryption.cannot-open');
  });
});

describe('a value that was changed', () => {
  it('is no plaintext either: nothing that was not sealed passes', async () => {
    const encryption = await fresh();
    const place = somewhere();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => encryption.open(place, bytes))).not.toBe('no error');
      }),
    );
    expect(
      codeOf(() =>
        encryption.open(place, Buffer.from('ada@example.org, in the clear, and long enough to be a value of its own')),
      ),
    ).toBe('encryption.unknown-version');
  });
});

describe('key versions', () => {
  it('values of a former version open after a newer one became current, and new ones carry the newer', async () => {
    const place = somewhere();
    const before = await createEncryption({ slot: memorySlot(keyringOf(1, [1])) });
    const former = before.seal(place, 'former');
    const after = await createEncryption({ slot: memorySlot(keyringOf(2, [1, 2])) });
    expect(after.keyVersion).toBe(2);
    expect(after.openText(place, former)).toBe('former');
    const newer = after.seal(place, 'newer');
    expect([...newer.subarray(2, 6)]).toEqual([0, 0, 0, 2]);
    expect(after.openText(place, newer)).toBe('newer');
    expect(codeOf(() => before.open(place, newer))).toBe('encryption.key-missing');
  });

  it('look-ups stay the same until the lookup version moves', async () => {
    const place = { tenant: newUuid(), table: 'accounts', column: 'email' };
    const [before, after, moved] = await Promise.all(
      [keyringOf(1, [1]), keyringOf(2, [1, 2]), keyringOf(2, [1, 2], 2)].map((material) =>
        createEncryption({ slot: memorySlot(material) }),
      ),
    );
    const index = before!.blindIndex(place, 'x');
    expect(after!.blindIndex(place, 'x')).toEqual(index);
    expect(moved!.blindIndex(place, 'x')).not.toEqual(index);
    const hash = before!.keyedHash('token', Uint8Array.of(1));
    expect(after!.keyedHash('token', Uint8Array.of(1))).toEqual(hash);
    expect(moved!.keyedHash('token', Uint8Array.of(1))).not.toEqual(hash);
  });
});

describe('unusable places', () => {
  it.each<[string, object]>([
    ['tenant', { tenant: 'not an id' }],
    ['tenant', { tenant: undefined }],
    ['subject', { subject: 'not an id' }],
    ['table', { table: '' }],
    ['column', { column: 'a\0b' }],
    ['column', { column: '\u{D800}' }],
    ['row', { row: '' }],
    ['row', { row: 'r\u{D800}' }],
  ])('name the argument: %s %j', async (name, wrong) => {
    const encryption = await fresh();
    const place = { ...somewhere(), ...wrong } as Place;
    expect(() => encryption.seal(place, 'x')).toThrow(new RegExp(`^place: ${name} must be`));
  });

  it('rows of every length are told apart', async () => {
    const encryption = await fresh();
    const place = somewhere();
    for (const length of [1, 35, 36, 37, 84, 85, 300]) {
      const row = 'ä'.repeat(length);
      const value = encryption.seal({ ...place, row }, 'x');
      expect(encryption.openText({ ...place, row }, value)).toBe('x');
      expect(codeOf(() => encryption.open({ ...place, row: `${row}a` }, value))).toBe('encryption.cannot-open');
      expect(codeOf(() => encryption.open({ ...place, row: `a${row.slice(1)}` }, value))).toBe(
        'encryption.cannot-open',
      );
    }
  });
});

describe('createEncryption', () => {
  it('makes a root key in an empty slot, once', async () => {
    const slot = memorySlot();
    await createEncryption({ slot });
    const first = slot.stored;
    await createEncryption({ slot });
    expect(slot.stored).toBe(first);
  });

  it('makes none where data exist, and says what to do', async () => {
    const slot = memorySlot();
    await expect(createEncryption({ slot, mustExist: true })).rejects.toMatchObject({
      code: 'encryption.root-missing',
      message: expect.stringContaining('Put the key file back'),
    });
    expect(slot.stored).toBeUndefined();
    await createEncryption({ slot });
    await expect(createEncryption({ slot, mustExist: true })).resolves.toBeDefined();
  });

  it('uses the key of whoever came first', async () => {
    const slot = memorySlot();
    const rival = memorySlot();
    await createEncryption({ slot: rival });
    let loads = 0;
    const contested: RootSlot = {
      name: 'contested',
      erasure: 'overwritten',
      load: () => ((loads += 1) === 1 ? Promise.resolve(undefined) : rival.load()),
      store: (material, replaces) => rival.store(material, replaces),
    };
    const place = { ...somewhere(), subject: null };
    const value = (await createEncryption({ slot: contested })).seal(place, 'x');
    expect((await createEncryption({ slot: rival })).openText(place, value)).toBe('x');
    expect(slot.stored).toBeUndefined();
  });

  it('refuses material that is damaged', async () => {
    const material = keyringOf(1, [1]);
    await expect(createEncryption({ slot: memorySlot(material.subarray(1)) })).rejects.toMatchObject({
      code: 'encryption.root-damaged',
    });
  });
});

describe('secrets', () => {
  it('do not show in inspection, JSON, structured clones or errors', async () => {
    const slot = memorySlot(keyringOf(1, [1]));
    const encryption = await createEncryption({ slot });
    const place = somewhere();
    const value = encryption.seal(place, 'secret plaintext');
    const keyring = RootKeyring.decode(keyringOf(1, [1]));
    let error: unknown;
    try {
      encryption.open({ ...place, row: 'another' }, value);
    } catch (caught) {
      error = caught;
    }
    const seen = [encryption, keyring, error].flatMap((thing) => [
      inspect(thing, { depth: Infinity, showHidden: true, getters: true }),
      JSON.stringify(thing),
      inspect(structuredClone(thing), { depth: Infinity, showHidden: true }),
    ]);
    for (const text of seen) {
      for (const secret of ['secret plaintext', '01010101', '0101', '1, 1, 1', '01 01 01', 'KeyObject']) {
        expect(text).not.toContain(secret);
      }
    }
    // The same search finds a secret that is in the open.
    expect(inspect({ key: secretOf(1).export() })).toContain('01 01 01');
  });
});
