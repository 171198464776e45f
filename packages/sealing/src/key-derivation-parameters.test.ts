import { describe, expect, it } from 'vitest';
import {
  checkSalt,
  defaultKeyDerivation,
  keyDerivationBounds,
  parseKeyDerivationParameters,
} from './key-derivation-parameters.ts';

const code = (value: string) => expect.objectContaining({ code: value }) as Error;

describe('key derivation parameters', () => {
  it('are by default the second recommendation of RFC 9106 §4', () => {
    expect(parseKeyDerivationParameters({ ...defaultKeyDerivation })).toEqual({
      algorithm: 'argon2id',
      version: 1,
      memoryKibibytes: 65_536,
      passes: 3,
      lanes: 4,
    });
  });

  it('may be stronger, up to a limit', () => {
    const strongest = { ...defaultKeyDerivation, memoryKibibytes: 1024 * 1024, passes: 16, lanes: 16 };
    expect(parseKeyDerivationParameters(strongest)).toEqual(strongest);
  });

  it.each(['memoryKibibytes', 'passes', 'lanes'] as const)('are refused when %s is too small or too large', (name) => {
    const { minimum, maximum } = keyDerivationBounds[name];
    for (const value of [minimum - 1, 0, -1]) {
      expect(() => parseKeyDerivationParameters({ ...defaultKeyDerivation, [name]: value })).toThrow(
        code('sealing.weak-parameters'),
      );
    }
    for (const value of [maximum + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(() => parseKeyDerivationParameters({ ...defaultKeyDerivation, [name]: value })).toThrow(
        code('sealing.excessive-parameters'),
      );
    }
  });

  it('name what was wrong with them', () => {
    const weak = { ...defaultKeyDerivation, passes: 1 };
    expect(() => parseKeyDerivationParameters(weak)).toThrow('"passes" is 1, the minimum is 3');
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['text', 'argon2id'],
    ['empty', {}],
    ['another algorithm', { ...defaultKeyDerivation, algorithm: 'pbkdf2' }],
    ['another variant', { ...defaultKeyDerivation, algorithm: 'argon2i' }],
    ['another version', { ...defaultKeyDerivation, version: 2 }],
    ['version as text', { ...defaultKeyDerivation, version: '1' }],
    ['a missing value', { algorithm: 'argon2id', version: 1, memoryKibibytes: 65_536, passes: 3 }],
    ['text for a number', { ...defaultKeyDerivation, memoryKibibytes: '65536' }],
    ['a fraction', { ...defaultKeyDerivation, passes: 3.5 }],
    ['not a number', { ...defaultKeyDerivation, passes: Number.NaN }],
    ['infinity', { ...defaultKeyDerivation, memoryKibibytes: Number.POSITIVE_INFINITY }],
    ['an unknown parameter', { ...defaultKeyDerivation, fallback: 'pbkdf2' }],
  ])('are refused as %s', (_, value) => {
    expect(() => parseKeyDerivationParameters(value)).toThrow(code('sealing.unsupported-parameters'));
  });

  it('need a salt of 16 to 64 bytes', () => {
    for (const length of [16, 32, 64]) expect(() => checkSalt(new Uint8Array(length))).not.toThrow();
    for (const length of [0, 8, 15]) {
      expect(() => checkSalt(new Uint8Array(length))).toThrow(code('sealing.weak-parameters'));
    }
    expect(() => checkSalt(new Uint8Array(65))).toThrow(code('sealing.excessive-parameters'));
  });
});
