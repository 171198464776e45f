import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { fromUtf8 } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fernet } from './fernet.ts';
import { MultiFernet } from './multi-fernet.ts';

/** github.com/fernet/spec, generate.json and verify.json. */
const OFFICIAL = {
  token: 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  secret: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
  /** 1985-10-26T01:20:00-07:00 */
  createdAt: 499_162_800,
  vector: Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
  source: 'hello',
};

const keyBytes = Buffer.from(OFFICIAL.secret, 'base64url');
const fernet = new Fernet(OFFICIAL.secret);
const NOW = 1_800_000_000;

const withPadding = (bytes: Buffer): string => {
  const text = bytes.toString('base64url');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
};

/** A token with a right signature, whatever is in it: what a hostile or broken holder of the key could make. */
function forge(parts: {
  version?: number;
  timestamp?: number;
  padded?: Buffer;
  ciphertext?: Buffer;
  vector?: Buffer;
}): Buffer {
  const vector = parts.vector ?? Buffer.alloc(16, 7);
  const cipher = createCipheriv('aes-128-cbc', keyBytes.subarray(16), vector).setAutoPadding(false);
  const padded = parts.padded ?? Buffer.from('hello'.padEnd(16, '\x0b'));
  const ciphertext = parts.ciphertext ?? cipher.update(padded);
  const head = Buffer.alloc(9);
  head.writeUInt8(parts.version ?? 0x80);
  head.writeBigUInt64BE(BigInt(parts.timestamp ?? NOW), 1);
  const signed = Buffer.concat([head, vector, ciphertext]);
  return Buffer.concat([signed, createHmac('sha256', keyBytes.subarray(0, 16)).update(signed).digest()]);
}

const invalid = expect.objectContaining({ code: 'encryption.invalid-token', message: 'That token is not valid.' });

describe('Fernet', () => {
  it('opens the official token at its time and refuses it later', () => {
    const { token, createdAt, source } = OFFICIAL;
    expect(fromUtf8(fernet.decrypt(token, { ttl: 60, now: createdAt + 1 }))).toBe(source);
    expect(fernet.timestamp(token)).toBe(createdAt);
    expect(() => fernet.decrypt(token, { ttl: 60, now: createdAt + 61 })).toThrow(invalid);
  });

  it('makes the official token from its parts', () => {
    const { token, createdAt, vector } = OFFICIAL;
    expect(withPadding(forge({ timestamp: createdAt, vector }))).toBe(token);
    // A token made here differs from the official one by its vector only.
    const made = Buffer.from(fernet.encrypt('hello', { now: createdAt }), 'base64url');
    expect(withPadding(forge({ timestamp: createdAt, vector: made.subarray(9, 25) }))).toBe(withPadding(made));
  });

  it('gives back every content, as bytes and as text', () => {
    const other = new Fernet(Fernet.generateKey());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'grapheme' }), (bytes, text) => {
        const token = other.encrypt(bytes);
        expect(token).toMatch(/^gAAAA[\w-]+={0,2}$/);
        expect(other.decrypt(token)).toEqual(bytes);
        expect(other.decrypt(Buffer.from(token))).toEqual(bytes);
        expect(fromUtf8(other.decrypt(other.encrypt(text)))).toBe(text);
      }),
    );
    expect(() => other.encrypt('\u{D800}')).toThrow(expect.objectContaining({ code: 'encryption.malformed-text' }));
  });

  it('never makes the same token twice', () => {
    const tokens = Array.from({ length: 2000 }, () => fernet.encrypt('x', { now: NOW }));
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('looks at the time only when asked, and at 60 seconds of skew', () => {
    const token = fernet.encrypt('x', { now: NOW });
    const opens = (options: { ttl?: number; now?: number }): boolean => {
      try {
        return fernet.decrypt(token, options).length === 1;
      } catch (error) {
        expect(error).toEqual(invalid);
        return false;
      }
    };
    expect(opens({})).toBe(true);
    expect(opens({ now: 0 })).toBe(true);
    expect([10, 11].map((later) => opens({ ttl: 10, now: NOW + later }))).toEqual([true, false]);
    expect([60, 61].map((earlier) => opens({ ttl: 10, now: NOW - earlier }))).toEqual([true, false]);
    expect([0, 1].map((later) => opens({ ttl: 0, now: NOW + later }))).toEqual([true, false]);
    // The clock of the system: this token is from 2027 or long past, never within a second of now.
    expect(opens({ ttl: 1 })).toBe(false);
    const current = fernet.encrypt('x');
    expect(fernet.decrypt(current, { ttl: 60 })).toHaveLength(1);
    expect(() => fernet.decrypt(token, { ttl: -1 })).toThrow(RangeError);
    expect(() => fernet.decrypt(token, { ttl: NaN })).toThrow(RangeError);
  });

  describe('refuses', () => {
    const good = forge({});
    const text = withPadding(good);
    const refuse = (token: string | Uint8Array): void => expect(() => fernet.decrypt(token)).toThrow(invalid);

    it('nothing that the forger of these tests made properly', () => {
      expect(fromUtf8(fernet.decrypt(text))).toBe('hello');
      expect(fromUtf8(fernet.decrypt(withPadding(forge({ vector: Buffer.alloc(16, 0xff) }))))).toBe('hello');
    });

    it.each<[string, string]>([
      ['nothing', ''],
      ['white space', '    '],
      ['white space before', ` ${text}`],
      ['white space after', `${text}\n`],
      ['white space within', `${text.slice(0, 40)}\n${text.slice(40)}`],
      ['the standard alphabet', forge({ vector: Buffer.alloc(16, 0xff) }).toString('base64')],
      ['a character outside any alphabet', `${text.slice(0, 20)}*${text.slice(21)}`],
      ['characters beyond ASCII', `${text.slice(0, 20)}ä${text.slice(21)}`],
      ['full-width letters', text.replaceAll('A', '\u{FF21}')],
      ['a NUL at the end', `${text}\0`],
      ['missing padding', text.replaceAll('=', '')],
      ['half the padding', text.slice(0, -1)],
      ['too much padding', `${text}====`],
      ['bits in the padding', `${text.slice(0, -3)}${text.at(-3) === 'B' ? 'C' : 'B'}==`],
      ['two tokens', text + text],
    ])('%s', (_, token) => refuse(token));

    it('every cut, as bytes and as text', () => {
      for (let length = 0; length < good.length; length += 1) refuse(withPadding(good.subarray(0, length)));
      for (let length = 0; length < text.length; length += 1) refuse(text.slice(0, length));
    });

    it('every cut that was signed again', () => {
      for (let length = 0; length < good.length - 32; length += 1) {
        const signed = good.subarray(0, length);
        refuse(
          withPadding(Buffer.concat([signed, createHmac('sha256', keyBytes.subarray(0, 16)).update(signed).digest()])),
        );
      }
    });

    it('every flipped bit', () => {
      for (let bit = 0; bit < good.length * 8; bit += 1) {
        const changed = Buffer.from(good);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        refuse(withPadding(changed));
      }
    });

    it('bytes added before or behind', () => {
      refuse(withPadding(Buffer.concat([good, Buffer.alloc(1)])));
      refuse(withPadding(Buffer.concat([good, Buffer.alloc(16)])));
      refuse(withPadding(Buffer.concat([Buffer.alloc(1), good])));
    });

    it('every other version, rightly signed', () => {
      for (let version = 0; version < 256; version += 1) {
        if (version !== 0x80) refuse(withPadding(forge({ version })));
      }
    });

    it('ciphertexts that are no whole blocks, rightly signed', () => {
      for (let length = 0; length < 48; length += 1) {
        if (length % 16 !== 0 || length === 0) refuse(withPadding(forge({ ciphertext: randomBytes(length) })));
      }
    });

    it('wrong padding, rightly signed', () => {
      const endings = [[0], [17], [255], [1, 2], [2, 3, 3], [0, 1, 2, 3, 4], [5, 4, 4, 4], [16]];
      for (const ending of endings) {
        refuse(withPadding(forge({ padded: Buffer.concat([Buffer.alloc(16 - ending.length), Buffer.from(ending)]) })));
      }
      for (const value of [17, 32]) refuse(withPadding(forge({ padded: Buffer.alloc(32, value) })));
      const almost = Buffer.alloc(32, 16);
      almost[16] = 15;
      refuse(withPadding(forge({ padded: almost })));
      // The right ones next to them.
      expect(fernet.decrypt(withPadding(forge({ padded: Buffer.alloc(16, 16) })))).toHaveLength(0);
      expect(fernet.decrypt(withPadding(forge({ padded: Buffer.alloc(32, 16) })))).toHaveLength(16);
      expect(fernet.decrypt(withPadding(forge({ padded: Buffer.from([...Buffer.alloc(15), 1]) })))).toHaveLength(15);
    });

    it('another key, and each half of another key', () => {
      const token = fernet.encrypt('hello');
      expect(() => new Fernet(Fernet.generateKey()).decrypt(token)).toThrow(invalid);
      const otherSigning = Buffer.concat([randomBytes(16), keyBytes.subarray(16)]);
      expect(() => new Fernet(withPadding(otherSigning)).decrypt(token)).toThrow(invalid);
      const otherEncryption = Buffer.concat([keyBytes.subarray(0, 16), Buffer.alloc(16, 1)]);
      // The signature fits; the padding then almost never does.
      expect(() => new Fernet(withPadding(otherEncryption)).decrypt(text)).toThrow(invalid);
    });

    it('timestamps beyond everything, when asked for an age', () => {
      const signed = good.subarray(0, -32);
      signed.fill(0xff, 1, 9);
      const token = withPadding(
        Buffer.concat([signed, createHmac('sha256', keyBytes.subarray(0, 16)).update(signed).digest()]),
      );
      expect(fernet.decrypt(token)).toHaveLength(5);
      expect(() => fernet.decrypt(token, { ttl: 1e9, now: NOW })).toThrow(invalid);
    });
  });

  it.each([
    '',
    'short',
    OFFICIAL.secret.slice(0, -1),
    `${OFFICIAL.secret}=`,
    `${OFFICIAL.secret} `,
    withPadding(randomBytes(31)),
    withPadding(randomBytes(33)),
    OFFICIAL.secret.replace('-', '+'),
    OFFICIAL.secret.replace('4e4=', '4e5='),
  ])('is not made from the key %j', (key) => {
    expect(() => new Fernet(key)).toThrow(expect.objectContaining({ code: 'encryption.invalid-fernet-key' }));
  });

  it('keeps its key to itself', () => {
    const key = Fernet.generateKey();
    const one = new Fernet(key);
    const many = new MultiFernet([one, one]);
    for (const thing of [one, many]) {
      const shown = [
        inspect(thing, { depth: Infinity, showHidden: true }),
        JSON.stringify(thing),
        inspect(structuredClone(thing), { showHidden: true }),
      ];
      expect(shown).toEqual([expect.stringMatching(/^(Fernet \{\}|MultiFernet \{ keys: 2 \})$/), '{}', '{}']);
    }
    let error: unknown;
    try {
      one.decrypt(fernet.encrypt('secret content'));
    } catch (caught) {
      error = caught;
    }
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(key);
  });
});

describe('MultiFernet', () => {
  const keys = [Fernet.generateKey(), Fernet.generateKey(), Fernet.generateKey()];
  const members = keys.map((key) => new Fernet(key));
  const multi = new MultiFernet(members);

  it('encrypts with the first and decrypts with any', () => {
    expect(fromUtf8(members[0]!.decrypt(multi.encrypt('x')))).toBe('x');
    for (const member of members) {
      const token = member.encrypt('y', { now: NOW });
      expect(fromUtf8(multi.decrypt(token, { ttl: 5, now: NOW }))).toBe('y');
      expect(multi.timestamp(token)).toBe(NOW);
      expect(() => multi.decrypt(token, { ttl: 5, now: NOW + 6 })).toThrow(invalid);
    }
  });

  it('refuses what no member opens, and having no member', () => {
    expect(() => multi.decrypt(fernet.encrypt('x'))).toThrow(invalid);
    expect(() => multi.decrypt('')).toThrow(invalid);
    expect(() => multi.timestamp(fernet.encrypt('x'))).toThrow(invalid);
    expect(() => multi.decrypt(multi.encrypt('x'), { ttl: NaN })).toThrow(RangeError);
    expect(() => new MultiFernet([])).toThrow(TypeError);
  });

  it('brings a token under the first key and keeps its time', () => {
    const rotated = multi.rotate(members[2]!.encrypt('x', { now: NOW }));
    expect(fromUtf8(members[0]!.decrypt(rotated))).toBe('x');
    expect(members[0]!.timestamp(rotated)).toBe(NOW);
    expect(() => members[2]!.decrypt(rotated)).toThrow(invalid);
    expect(() => multi.rotate(fernet.encrypt('x'))).toThrow(invalid);
  });
});
