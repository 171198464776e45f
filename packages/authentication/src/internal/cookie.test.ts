import { describe, expect, it } from 'vitest';
import { clearCookie, presentedCredential, setCookie } from './cookie.ts';

const invalid = expect.objectContaining({ code: 'authentication.invalid-session', status: 401 });

describe('the session cookie', () => {
  it('has every attribute that the prefix and its secrecy ask for', () => {
    expect(setCookie('abc', 86_400)).toBe(
      '__Host-strongroom=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=86400',
    );
    expect(clearCookie).toBe('__Host-strongroom=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0');
  });
});

describe('presentedCredential', () => {
  it.each([
    [{}, { transport: 'none' }],
    [{ cookie: 'theme=dark; other=1' }, { transport: 'none' }],
    [{ cookie: 'theme=dark; __Host-strongroom=abc' }, { transport: 'cookie', token: 'abc' }],
    [{ cookie: '__Host-strongroom=' }, { transport: 'cookie', token: '' }],
    [{ cookie: 'x__Host-strongroom=abc; __host-strongroom=abc; strongroom=abc' }, { transport: 'none' }],
    [{ authorization: 'Bearer abc' }, { transport: 'bearer', token: 'abc' }],
    [
      { authorization: 'bearer abc', cookie: 'theme=dark' },
      { transport: 'bearer', token: 'abc' },
    ],
  ])('%j is %j', (headers, presented) => {
    expect(presentedCredential(headers)).toEqual(presented);
  });

  it.each([
    ['cookie and bearer', { cookie: '__Host-strongroom=abc', authorization: 'Bearer abc' }],
    ['two session cookies', { cookie: '__Host-strongroom=abc; __Host-strongroom=def' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['no token', { authorization: 'Bearer' }],
    ['an empty header', { authorization: '' }],
    ['two tokens', { authorization: 'Bearer abc, Bearer def' }],
    ['a token with a space', { authorization: 'Bearer abc def' }],
    ['a line break', { authorization: 'Bearer abc\nx' }],
  ])('refuses %s', (_name, headers) => {
    expect(() => presentedCredential(headers)).toThrow(invalid);
  });
});
