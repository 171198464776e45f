import { argon2Sync, hkdfSync } from 'node:crypto';
import { lengthPrefixed, toHex } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { defaultKeyDerivation } from './key-derivation-parameters.ts';
import { checkNewPassword, deriveCredentials } from './password.ts';

const code = (value: string) => expect.objectContaining({ code: value }) as Error;
const salt = new Uint8Array(16).fill(7);
const password = 'correct horse battery staple';

const derive = async (text: string, saltBytes = salt): Promise<{ authentication: string; unlock: string }> => {
  const { authenticationSecret, unlockKey } = await deriveCredentials(text, saltBytes, defaultKeyDerivation);
  return { authentication: toHex(authenticationSecret.reveal()), unlock: toHex(unlockKey.reveal()) };
};

describe('credentials from a password', () => {
  // Half a second of work each on a small machine: made once.
  const derived = derive(password);

  it('are what docs/format/sealing.md says, computed another way', async () => {
    const stretched = argon2Sync('argon2id', {
      message: password,
      nonce: salt,
      memory: 65_536,
      passes: 3,
      parallelism: 4,
      tagLength: 32,
    });
    const expand = (label: string): string =>
      Buffer.from(hkdfSync('sha256', stretched, salt, lengthPrefixed(label), 32)).toString('hex');
    expect(await derived).toEqual({
      authentication: expand('strongroom/v1/password/authentication'),
      unlock: expand('strongroom/v1/password/unlock'),
    });
  });

  it('differ with the password, with the salt and from each other', async () => {
    const all = await Promise.all([derived, derive(`${password}!`), derive(password, salt.with(0, 8))]);
    expect(new Set(all.flatMap(({ authentication, unlock }) => [authentication, unlock])).size).toBe(6);
  });

  it('do not depend on how the keyboard composes a character', async () => {
    const [composed, decomposedAndWide] = await Promise.all([
      derive('Bl\u00fcten im Garten'),
      derive('Blu\u0308ten im \uff27arten'),
    ]);
    expect(decomposedAndWide).toEqual(composed);
  });

  it('are refused for parameters weaker than this client accepts', async () => {
    const weak = { ...defaultKeyDerivation, memoryKibibytes: 8 };
    const huge = { ...defaultKeyDerivation, memoryKibibytes: 2 ** 31 };
    await expect(deriveCredentials(password, salt, weak)).rejects.toThrow(code('sealing.weak-parameters'));
    await expect(deriveCredentials(password, salt, huge)).rejects.toThrow(code('sealing.excessive-parameters'));
    const short = deriveCredentials(password, salt.subarray(0, 8), defaultKeyDerivation);
    await expect(short).rejects.toThrow(code('sealing.weak-parameters'));
  });

  it('are refused for what is no password', async () => {
    for (const text of ['', 'half a character \ud83d', 'x'.repeat(1025)]) {
      const refused = deriveCredentials(text, salt, defaultKeyDerivation);
      await expect(refused).rejects.toThrow(code('sealing.invalid-password'));
    }
  });
});

describe('a new password', () => {
  it('has at least 15 characters, counted as people count', () => {
    for (const text of ['fifteen letters', 'パスワードはながいほどよいのです', '🐢🐇🐝🐳🌲🌳🐌🦊🐻🐼🐨🐯🦁🐮🐷']) {
      expect(() => checkNewPassword(text)).not.toThrow();
    }
    for (const text of ['', 'short', 'fourteen chars', '🐢🐇🐝🐳🌲🌳🐌🦊🐻🐼🐨🐯🦁🐮']) {
      expect(() => checkNewPassword(text)).toThrow(code('sealing.invalid-password'));
    }
  });

  it.each([
    ['one character', 'aaaaaaaaaaaaaaaa'],
    ['a word said twice', 'passwordpassword'],
    ['a word said twice, in capitals once', 'Passwordpassword'],
    ['the digits', '123456789012345'],
    ['the digits backwards', '0987654321098765'],
    ['the alphabet', 'abcdefghijklmnop'],
    ['the keyboard', 'qwertyuiopasdfghjkl'],
    ['a German keyboard', 'qwertzuiopüasdfghjklöä'],
    ['alphabet and digits', 'abcdefgh12345678'],
    ['turtles', '🐢'.repeat(15)],
  ])('is not %s', (_name, text) => {
    expect(() => checkNewPassword(text)).toThrow(code('sealing.predictable-password'));
  });

  it.each([
    'correct horse battery staple',
    'hahaha said the fox',
    'seven silent sailors sing',
    'Ich gehe 1234 Schritte',
    'no no no no no never',
    'abcdefg and then the rest',
    'deadbeefcafebabe1337',
    'correct horse batterycorrect horse battery',
  ])('may be “%s”', (text) => {
    expect(() => checkNewPassword(text)).not.toThrow();
  });

  it('is never repeated in the error', () => {
    expect(() => checkNewPassword('hunter2')).not.toThrow('hunter2');
  });
});
