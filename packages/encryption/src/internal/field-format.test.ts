/** The format as docs/format/fields.md states it, written a second time without the code under test. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import { fromHex, parseUuid, toHex } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { createEncryption } from '../encryption.ts';
import { Fernet } from '../fernet.ts';
import type { Place } from '../place.ts';
import { decryptGcm } from './aes-gcm.ts';
import { RootKeyring } from './root-keyring.ts';

const rootSecret = Buffer.alloc(32, 0x42);

const place: Place = {
  tenant: parseUuid('0190a000-0000-7000-8000-000000000001'),
  table: 'accounts',
  column: 'email',
  row: '0190a000-0000-7000-8000-0000000000aa',
  subject: parseUuid('0190a000-0000-7000-8000-000000000002'),
};

const encryption = await createEncryption({
  slot: {
    name: 'fixed',
    erasure: 'overwritten',
    load: () =>
      Promise.resolve({
        generation: 1,
        material: new RootKeyring({
          revision: 1,
          current: 7,
          lookup: 7,
          tree: { version: 1, secret: createSecretKey(Buffer.alloc(32)) },
          versions: [{ version: 7, createdAt: 0, scheme: 'derived', secret: createSecretKey(rootSecret) }],
        }).encode(),
      }),
    store: () => Promise.reject(new Error('not written here')),
  },
});

/** Made with Python's `cryptography` from the page, nonce 00 01 … 0b. */
const KNOWN_VALUE =
  '0101000000072c0c41af80fce9e6cd9cc3e7830c8df509b4f157b1a2346da56221fee0274dca00010203040506070809' +
  '0a0b49e7f6693983ede7712b5265585ab49dc5a3339ee4d91d597107ce56b72339';
/** Likewise, its token made by Python's `cryptography.fernet` at 1,800,000,000 with the vector 00 01 … 0f. */
const KNOWN_FERNET =
  '010300000007d6a6d6bde00256ee3b479a7f9429514fb7bde094f121e1664d82cf4cfac9a20867414141414142725364' +
  '494141414543417751464267634943516f4c4441304f44775156437843454f624e5f7243357938786a446863306a626a' +
  '465a486c786c4b6a7477566a4d5248462d6564743478396f5752516f2d48665f526e563444667a673d3d';
const KNOWN_INDEX = '3fc441f3c4cd515c077f4530c2fa46357ab4ea997bfad6419cea275122f08dd2';
const KNOWN_HASH = '1fca98782063d6f6afbeea21866dbf0c226648f554cd71a891e3e7428157a5d2';

const list = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
const hmac = (key: Buffer, message: Buffer): Buffer => createHmac('sha256', key).update(message).digest();
const expand32 = (key: Buffer, info: Buffer): Buffer => hmac(key, Buffer.concat([info, Buffer.from([1])]));

/** Column key and commitment as the page describes them. */
function referenceKey(at: Place, algorithm = 1): { key: Buffer; commitment: Buffer } {
  const tenantKey = expand32(rootSecret, list('strongroom/tenant/v1', at.tenant ?? ''));
  const subjectKey = expand32(tenantKey, list('strongroom/subject/v1', at.subject ?? ''));
  const info = list('strongroom/column/v1', at.table, at.column, Buffer.from([algorithm]));
  const key = expand32(subjectKey, info);
  return { key, commitment: hmac(subjectKey, Buffer.concat([key, info, Buffer.from([2])])) };
}

const referenceContext = (at: Place, algorithm = 1): Buffer =>
  list(
    'strongroom/field/v1',
    Buffer.from([algorithm]),
    Buffer.from([0, 0, 0, 7]),
    at.tenant ?? '',
    at.table,
    at.column,
    at.subject ?? '',
    at.row,
  );

describe('field format v1', () => {
  it('is what the page says, byte by byte', () => {
    const value = Buffer.from(encryption.seal(place, 'ada@example.org'));
    const { key, commitment } = referenceKey(place);
    expect(value.subarray(0, 6).toString('hex')).toBe('010100000007');
    expect(value.subarray(6, 38)).toEqual(commitment);
    const decipher = createDecipheriv('aes-256-gcm', key, value.subarray(38, 50), { authTagLength: 16 });
    decipher.setAAD(referenceContext(place)).setAuthTag(value.subarray(-16));
    expect(decipher.update(value.subarray(50, -16), undefined, 'utf8') + decipher.final('utf8')).toBe(
      'ada@example.org',
    );
  });

  it('opens a value made from the page alone', () => {
    for (const at of [
      place,
      { ...place, tenant: null, subject: null, row: 'Zeile ß' },
      { ...place, row: 'ü'.repeat(300) },
    ]) {
      const { key, commitment } = referenceKey(at);
      const vector = Buffer.alloc(12, 9);
      const cipher = createCipheriv('aes-256-gcm', key, vector).setAAD(referenceContext(at));
      const ciphertext = Buffer.concat([cipher.update('hello'), cipher.final()]);
      const value = Buffer.concat([fromHex('010100000007'), commitment, vector, ciphertext, cipher.getAuthTag()]);
      expect(encryption.openText(at, value)).toBe('hello');
    }
  });

  it('stays readable: a value sealed when the format was new', () => {
    const value = fromHex(KNOWN_VALUE);
    expect(encryption.openText(place, value)).toBe('ada@example.org');
    expect(toHex(encryption.blindIndex(place, 'ada@example.org'))).toBe(KNOWN_INDEX);
    expect(toHex(encryption.keyedHash('example', Uint8Array.of(1, 2, 3)))).toBe(KNOWN_HASH);
  });
});

/** GF(2^128) as GCM uses it (SP 800-38D §6.3): bit 0 of a block is the coefficient of x^0. */
const R = 0xe1n << 120n;
function multiply(left: bigint, right: bigint): bigint {
  let product = 0n;
  let shifted = right;
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if ((left >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ R : shifted >> 1n;
  }
  return product;
}
function invert(value: bigint): bigint {
  // value^(2^128 - 2)
  let result = 1n << 127n;
  let square = value;
  for (let exponent = 1; exponent < 128; exponent += 1) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}
const toBlock = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
const ofBlock = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
const block = (key: Buffer, input: Buffer): bigint =>
  toBlock(createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(input));

/** GHASH of associated data and ciphertext, whose blocks are given; both lengths are in the last block. */
function ghash(h: bigint, context: Buffer, ciphertext: readonly bigint[]): bigint {
  let state = 0n;
  for (let offset = 0; offset < context.length; offset += 16) {
    const piece = Buffer.alloc(16);
    context.copy(piece, 0, offset, offset + 16);
    state = multiply(state ^ toBlock(piece), h);
  }
  for (const piece of ciphertext) state = multiply(state ^ piece, h);
  return multiply(state ^ (BigInt(context.length * 8) << 64n) ^ BigInt(ciphertext.length * 128), h);
}

describe('field format v1 with Fernet', () => {
  const keyAt = (at: Place): string =>
    `${expand32(referenceKey(at, 3).key, referenceContext(at, 3)).toString('base64url')}=`;

  it('is a header and a token for a key that the page derives from the place', () => {
    const value = Buffer.from(encryption.seal(place, 'ada@example.org', 'fernet'));
    expect(value.subarray(0, 6).toString('hex')).toBe('010300000007');
    expect(value.subarray(6, 38)).toEqual(referenceKey(place, 3).commitment);
    const token = value.subarray(38).toString('latin1');
    expect(Buffer.from(new Fernet(keyAt(place)).decrypt(token)).toString()).toBe('ada@example.org');
    for (const change of [{ row: 'elsewhere' }, { column: 'name' }, { tenant: null }, { subject: null }]) {
      expect(() => new Fernet(keyAt({ ...place, ...change })).decrypt(token)).toThrow(
        expect.objectContaining({ code: 'encryption.invalid-token' }),
      );
    }
  });

  it('opens a token made from the page alone, of any time', () => {
    for (const at of [place, { ...place, tenant: null, subject: null, row: 'ü'.repeat(300) }]) {
      const token = new Fernet(keyAt(at)).encrypt('hello', { now: 4_000_000_000 });
      const value = Buffer.concat([fromHex('010300000007'), referenceKey(at, 3).commitment, Buffer.from(token)]);
      expect(encryption.openText(at, value)).toBe('hello');
    }
  });

  it('stays readable: a value sealed when the algorithm was new', () => {
    expect(encryption.openText(place, fromHex(KNOWN_FERNET))).toBe('ada@example.org');
  });
});

describe('a ciphertext for two keys', () => {
  const other: Place = { ...place, subject: parseUuid('0190a000-0000-7000-8000-000000000003') };
  const vector = Buffer.alloc(12, 5);

  /** One ciphertext block chosen freely, the second one solved for, so that one tag fits under both keys. */
  function collide(): { ciphertext: Buffer; tag: Buffer } {
    const sides = [place, other].map((at) => {
      const { key } = referenceKey(at);
      return {
        h: block(key, Buffer.alloc(16)),
        mask: block(key, Buffer.concat([vector, Buffer.from([0, 0, 0, 1])])),
        context: referenceContext(at),
      };
    });
    const chosen = toBlock(Buffer.from('a message to all'));
    const [difference, factor] = [
      sides.map(({ h, mask, context }) => ghash(h, context, [chosen, 0n]) ^ mask).reduce((a, b) => a ^ b),
      // The last ciphertext block is multiplied by H twice: once for itself, once for the lengths.
      sides.map(({ h }) => multiply(h, h)).reduce((a, b) => a ^ b),
    ];
    const solved = multiply(difference, invert(factor));
    const { h, mask, context } = sides[0]!;
    return {
      ciphertext: Buffer.concat([ofBlock(chosen), ofBlock(solved)]),
      tag: ofBlock(ghash(h, context, [chosen, solved]) ^ mask),
    };
  }

  it('exists in plain AES-GCM: both keys accept it and read different texts', () => {
    const { ciphertext, tag } = collide();
    const [first, second] = [place, other].map((at) =>
      decryptGcm(createSecretKey(referenceKey(at).key), vector, referenceContext(at), ciphertext, tag),
    );
    expect(first).toBeDefined();
    expect(second).toBeDefined();
    expect(first).not.toEqual(second);
  });

  it('opens for one of them at most here, because the value commits to its key', () => {
    const { ciphertext, tag } = collide();
    const opensAt = (claimed: Place): string[] => {
      const value = Buffer.concat([fromHex('010100000007'), referenceKey(claimed).commitment, vector, ciphertext, tag]);
      return [place, other].flatMap((at) => {
        try {
          encryption.open(at, value);
          return [at.subject!];
        } catch {
          return [];
        }
      });
    };
    expect(opensAt(place)).toEqual([place.subject]);
    expect(opensAt(other)).toEqual([other.subject]);
  });
});
