import { newUuid, toBase64Url } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { invitationCode, parseInvitationCode } from './invitation-code.ts';

const token = 'A'.repeat(43);
const publicKey = new Uint8Array(33).fill(5).with(0, 1);

describe('invitation codes', () => {
  it('carry the inviter and their key beside the token, in characters that a link keeps as they are', () => {
    const account = newUuid();
    const code = invitationCode(token, { account, publicKey });
    expect(encodeURIComponent(code)).toBe(code);
    expect(new URL(`https://vault.example/join#${code}`).hash).toBe(`#${code}`);
    expect(parseInvitationCode(` ${code}\n`)).toEqual({
      token,
      inviter: { account, publicKey: toBase64Url(publicKey) },
    });
  });

  it.each([
    ['a bare token', token],
    ['an account that is none', `${token}.nobody.${toBase64Url(publicKey)}`],
    ['no key', `${token}.${newUuid()}`],
    ['half a key', `${token}.${newUuid()}.${toBase64Url(publicKey).slice(0, 20)}`],
    ['a key that is no base64url', `${token}.${newUuid()}.${'!'.repeat(44)}`],
  ])('without a usable inviter are tokens: %s', (_what, text) => {
    expect(parseInvitationCode(text)).toEqual({ token, inviter: null });
  });

  it.each(['', 'AAAA', token.slice(1), `${token}A`, `${token}#`, `https://vault.example/join#${token}`])(
    'are whole, or refused before a password is touched: “%s”',
    (text) => {
      expect(() => parseInvitationCode(text)).toThrow(expect.objectContaining({ code: 'client.invalid-invitation' }));
    },
  );
});
