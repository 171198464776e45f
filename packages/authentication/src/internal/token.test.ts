import { join } from 'node:path';
import { createEncryption, fileSlot, type Encryption } from '@strongroom/encryption';
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import { temporaryFolder } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { newSessionToken, sessionTokenHash } from './token.ts';

describe('session tokens', () => {
  let encryption: Encryption;
  beforeAll(async () => {
    encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
  });

  it('are recognised by the installation that made them, and by no other', async () => {
    const { text, hash } = newSessionToken(encryption);
    expect(sessionTokenHash(encryption, text)).toEqual(hash);
    const elsewhere = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
    expect(sessionTokenHash(elsewhere, text)).toBeUndefined();
  });

  it('hold 256 random bits, and their hash says nothing of the tag', () => {
    const tokens = Array.from({ length: 50 }, () => newSessionToken(encryption));
    const random = new Set(tokens.map(({ text }) => toBase64Url(fromBase64Url(text).subarray(0, 32))));
    expect(random.size).toBe(50);
    for (const { text, hash } of tokens) expect(hash.subarray(0, 16)).not.toEqual(fromBase64Url(text).subarray(32));
  });

  it('are refused after any single change', () => {
    const { text } = newSessionToken(encryption);
    const bytes = fromBase64Url(text);
    for (const index of bytes.keys()) {
      const changed = Uint8Array.from(bytes);
      changed[index]! ^= 1;
      expect(sessionTokenHash(encryption, toBase64Url(changed)), `byte ${index}`).toBeUndefined();
    }
  });

  it('have one spelling', () => {
    const { text } = newSessionToken(encryption);
    for (const wrong of ['', text.slice(1), `${text}A`, `${text}=`, `+${text.slice(1)}`, ` ${text}`, `${text}\n`]) {
      expect(sessionTokenHash(encryption, wrong)).toBeUndefined();
    }
  });
});
