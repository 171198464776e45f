import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { parseToken } from './token.ts';

describe('parseToken', () => {
  const bytes = new Uint8Array(32).fill(0xab);
  const text = toBase64Url(bytes);

  it('reads the one spelling of a token', () => {
    expect(parseToken(text)).toEqual(bytes);
  });

  it.each([
    ['empty', ''],
    ['short', text.slice(1)],
    ['long', `${text}A`],
    ['padded', `${text}=`],
    ['of another alphabet', `+${text.slice(1)}`],
    // The last character carries two unused bits: only one of its four spellings counts.
    ['of another spelling', `${text.slice(0, -1)}t`],
    ['with a line break', `${text}\n`],
  ])('refuses one that is %s', (_name, wrong) => {
    expect(parseToken(wrong)).toBeUndefined();
  });

  it('has a spelling to refuse', () => {
    expect(text.at(-1)).toBe('s');
    expect(() => fromBase64Url(`${text.slice(0, -1)}t`)).toThrow();
  });
});
