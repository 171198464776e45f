import { toHex } from '@strongroom/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkFernetAge,
  finishFernetToken,
  generateFernetKey,
  layOutFernetToken,
  parseFernetKey,
  parseFernetToken,
  splitFernetKey,
} from './fernet-framing.ts';

const code = (value: string) => expect.objectContaining({ code: value }) as Error;

/** The specification's example token and key (fernet/spec, generate.json). */
const token = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
const key = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
const raw = (): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(token, 'base64url'));
const encode = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
};

describe('keys', () => {
  it('are signing key, then encryption key', () => {
    const parts = parseFernetKey(key);
    expect(toHex(parts.signingKey)).toBe('730ff4c7af3d46923e8ed451ee813c87');
    expect(toHex(parts.encryptionKey)).toBe('f790b0a226bc96a92de49b5e9c05e1ee');
  });

  it('are new every time and readable', () => {
    const keys = new Set(Array.from({ length: 100 }, generateFernetKey));
    expect(keys.size).toBe(100);
    for (const text of keys) expect(parseFernetKey(text).signingKey.length).toBe(16);
  });

  it('are refused in any other form, without being repeated', () => {
    const refused = [
      '',
      key.slice(0, -1),
      `${key}=`,
      ` ${key}`,
      `${key}\n`,
      key.replace('_', '/').replace('-', '+'),
      `${key.slice(0, -2)}5=`,
      encode(new Uint8Array(31)),
      encode(new Uint8Array(33)),
      '0'.repeat(64),
    ];
    for (const text of refused) {
      expect(() => parseFernetKey(text)).toThrow(code('sealing.invalid-fernet-key'));
      if (text.trim() !== '') expect(() => parseFernetKey(text)).not.toThrow(text.trim().slice(0, 8));
    }
    expect(() => splitFernetKey(new Uint8Array(31))).toThrow(code('sealing.invalid-fernet-key'));
  });
});

describe('tokens', () => {
  it('come apart into their fields', () => {
    for (const form of [token, Buffer.from(token), new TextEncoder().encode(token)]) {
      const frame = parseFernetToken(form);
      expect(frame.timestamp).toBe(499_162_800);
      expect(toHex(frame.initializationVector)).toBe('000102030405060708090a0b0c0d0e0f');
      expect(frame.ciphertext.length).toBe(16);
      expect(frame.signature.length).toBe(32);
      expect(frame.signed.length).toBe(41);
      expect(encode(Buffer.concat([frame.signed, frame.signature]))).toBe(token);
    }
  });

  it('are put together the way they come apart', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 20 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (timestamp, vector, blocks, signature) => {
          const layout = layOutFernetToken(timestamp, vector, ...blocks);
          const frame = parseFernetToken(finishFernetToken(layout, signature));
          expect(frame.timestamp).toBe(timestamp);
          expect(toHex(frame.initializationVector)).toBe(toHex(vector));
          expect(toHex(frame.ciphertext)).toBe(toHex(Buffer.concat(blocks)));
          expect(toHex(frame.signature)).toBe(toHex(signature));
          expect(toHex(frame.signed)).toBe(toHex(layout.signed));
        },
      ),
    );
  });

  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['padding only', '===='],
    ['without padding', token.slice(0, -2)],
    ['half the padding', token.slice(0, -1)],
    ['too much padding', `${token}=`],
    ['a whole group of padding', `${token}====`],
    ['standard alphabet', token.replaceAll('_', '/').replaceAll('-', '+')],
    ['a space before', ` ${token}`],
    ['a line feed after', `${token}\n`],
    ['a line feed inside', `${token.slice(0, 60)}\n${token.slice(60)}`],
    ['a character outside the alphabet', `%${token.slice(1)}`],
    ['unused bits set', `${token.slice(0, -3)}B==`],
    ['not ASCII', `${token.slice(0, -4)}ü===`],
    ['bytes above 0x7f', Buffer.from(token).fill(0xe7, 4, 5)],
    ['raw instead of base64url', raw()],
    ['version 0x81', encode(raw().with(0, 0x81))],
    ['version 0x00', encode(raw().with(0, 0))],
    ['only a version', encode(Uint8Array.of(0x80))],
    ['cut in the header', encode(raw().subarray(0, 20))],
    ['no ciphertext', encode(Buffer.concat([raw().subarray(0, 25), raw().subarray(41)]))],
    ['no signature', encode(raw().subarray(0, 41))],
    ['one byte short', encode(raw().subarray(0, -1))],
    ['one byte long', encode(Buffer.concat([raw(), new Uint8Array(1)]))],
    ['ciphertext of no whole blocks', encode(Buffer.concat([raw(), new Uint8Array(8)]))],
    ['two tokens', token + token],
  ])('are refused: %s', (_, malformed) => {
    expect(() => parseFernetToken(malformed)).toThrow(code('sealing.invalid-token'));
  });

  it('are refused at every truncation', () => {
    for (let length = 0; length < token.length; length += 1) {
      expect(() => parseFernetToken(token.slice(0, length))).toThrow(code('sealing.invalid-token'));
    }
  });

  it('say nothing but that they are invalid', () => {
    const messages = ['', token.slice(1), encode(raw().with(0, 1))].map((text) => {
      try {
        parseFernetToken(text);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages)).toEqual(new Set(['That token is not valid.']));
  });

  it('cannot be built from wrong parts', () => {
    const block = new Uint8Array(16);
    expect(() => layOutFernetToken(-1, block, block)).toThrow(RangeError);
    expect(() => layOutFernetToken(1.5, block, block)).toThrow(RangeError);
    expect(() => layOutFernetToken(2 ** 53, block, block)).toThrow(RangeError);
    expect(() => layOutFernetToken(0, block.subarray(1), block)).toThrow(RangeError);
    expect(() => layOutFernetToken(0, block)).toThrow(RangeError);
    expect(() => layOutFernetToken(0, block, block, block.subarray(1))).toThrow(RangeError);
    expect(() => finishFernetToken(layOutFernetToken(0, block, block), block)).toThrow(RangeError);
  });
});

describe('age', () => {
  const created = 499_162_800;
  const frame = parseFernetToken(token);
  const expired = code('sealing.expired-token');

  it('is accepted up to and including ttl', () => {
    for (const age of [0, 1, 59, 60])
      expect(() => checkFernetAge(frame, { ttl: 60, now: created + age })).not.toThrow();
    expect(() => checkFernetAge(frame, { ttl: 60, now: created + 61 })).toThrow(expired);
    expect(() => checkFernetAge(frame, { ttl: 0, now: created })).not.toThrow();
    expect(() => checkFernetAge(frame, { ttl: 0, now: created + 1 })).toThrow(expired);
  });

  it('allows a clock that runs 60 s ahead, no more', () => {
    expect(() => checkFernetAge(frame, { ttl: 60, now: created - 60 })).not.toThrow();
    expect(() => checkFernetAge(frame, { ttl: 60, now: created - 61 })).toThrow(expired);
  });

  it('is not looked at without ttl', () => {
    expect(() => checkFernetAge(frame, { now: created + 1e9 })).not.toThrow();
    expect(() => checkFernetAge(frame, { now: 0 })).not.toThrow();
  });

  it('refuses the greatest timestamp there is', () => {
    const farFuture = parseFernetToken(encode(raw().fill(0xff, 1, 9)));
    expect(() => checkFernetAge(farFuture, { ttl: 60, now: created })).toThrow(expired);
  });

  it('refuses arguments that are no time instead of accepting everything', () => {
    for (const ttl of [-1, Number.NaN]) expect(() => checkFernetAge(frame, { ttl, now: created })).toThrow(RangeError);
    expect(() => checkFernetAge(frame, { ttl: 60, now: Number.NaN })).toThrow(RangeError);
  });
});
