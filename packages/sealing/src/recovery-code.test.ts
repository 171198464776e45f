import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveRecoveryCredentials, generateRecoveryCode } from './recovery-code.ts';

const invalid = expect.objectContaining({ code: 'sealing.invalid-recovery-code' }) as Error;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const derive = async (code: string): Promise<string[]> => {
  const { recoveryAuthenticationSecret, recoveryKey } = await deriveRecoveryCredentials(code);
  return [recoveryAuthenticationSecret.revealBase64Url(), recoveryKey.revealBase64Url()];
};

/** Made by a Python program from the format page: the code of twenty bytes 0, 1, … 19 and its two secrets. */
const known = {
  code: '000G-40R4-0M30-E209-185G-R38E-1W81-24GK-BFQJ',
  authentication: '9LL2REweZu3and3s5VoaSoyOONFo7Zb3sv0C4DHD--0',
  key: 'PYGKvscaYP9302tT3mCvJhFNOQ7n5kuA-kQETpKhV_E',
};

describe('recovery codes', () => {
  it('are nine groups of four characters, none of which look alike', async () => {
    const code = (await generateRecoveryCode()).reveal();
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/);
  });

  it('are new every time', async () => {
    const codes = await Promise.all(Array.from({ length: 200 }, generateRecoveryCode));
    expect(new Set(codes.map((code) => code.reveal())).size).toBe(200);
    // Every character of the alphabet occurs somewhere: nothing narrows the randomness.
    expect(new Set(codes.flatMap((code) => Array.from(code.reveal()))).size).toBe(ALPHABET.length + 1);
  });

  it('give two different secrets, always the same ones', async () => {
    const code = await generateRecoveryCode();
    const [authentication, key] = await derive(code.reveal());
    expect(authentication).not.toBe(key);
    expect(await derive(code.reveal())).toEqual([authentication, key]);
    const other = await derive((await generateRecoveryCode()).reveal());
    expect(other).not.toContain(authentication);
    expect(other).not.toContain(key);
  });

  it('are read the way people type them', async () => {
    const code = (await generateRecoveryCode()).reveal();
    const expected = await derive(code);
    const typed = [
      code.toLowerCase(),
      code.replaceAll('-', ''),
      code.replaceAll('-', ' '),
      `  ${code}\n`,
      code.replaceAll('0', 'O').replaceAll('1', 'l'),
      code.replaceAll('0', 'o').replaceAll('1', 'I'),
    ];
    for (const text of typed) expect(await derive(text)).toEqual(expected);
  });

  it('notice one wrong character', async () => {
    const code = (await generateRecoveryCode()).reveal();
    await fc.assert(
      fc.asyncProperty(fc.nat(code.length - 1), fc.constantFrom(...Array.from(ALPHABET)), async (index, character) => {
        fc.pre(code[index] !== '-' && code[index] !== character);
        const typed = code.slice(0, index) + character + code.slice(index + 1);
        await expect(deriveRecoveryCredentials(typed)).rejects.toThrow(invalid);
      }),
      { numRuns: 200 },
    );
  });

  it('notice two characters in the wrong order', async () => {
    const characters = (await generateRecoveryCode()).reveal().replaceAll('-', '');
    for (let index = 0; index + 1 < characters.length; index += 1) {
      const [one, two] = [characters[index]!, characters[index + 1]!];
      if (one === two) continue;
      const typed = characters.slice(0, index) + two + one + characters.slice(index + 2);
      await expect(deriveRecoveryCredentials(typed)).rejects.toThrow(invalid);
    }
  });

  it('are refused when incomplete, too long or foreign', async () => {
    const code = (await generateRecoveryCode()).reveal();
    for (const text of [
      '',
      code.slice(0, -1),
      `${code}0`,
      code.slice(5),
      code.replace(/^./, 'U'),
      `ß${code.slice(1)}`,
    ]) {
      await expect(deriveRecoveryCredentials(text)).rejects.toThrow(invalid);
    }
    const message = await deriveRecoveryCredentials(code.slice(0, -1)).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect(message).toMatch(/mistyped/);
    expect(message).not.toContain(code.slice(0, 4));
  });

  it('keep their format', async () => {
    expect(await derive(known.code)).toEqual([known.authentication, known.key]);
  });
});
