import { inspect } from 'node:util';
import { newUuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { AccountKeys } from './account.ts';
import { FernetKey } from './fernet.ts';
import { importSecret } from './internal/hkdf.ts';
import { generateKeyPair, importPrivateKey } from './internal/x25519.ts';
import { Redacted, SecretBytes, SecretText } from './secret.ts';
import { SpaceKey } from './space.ts';

const bytes = () => new Uint8Array(32).fill(0xa7);
/** Every spelling under which the bytes above could show. */
const spellings = [
  /a7a7a7/i,
  /p6enp6/,
  /167,\s*167/,
  Buffer.from(bytes()).toString('base64').slice(0, 12),
  '§§§',
  'open sesame',
];

const holders = async (): Promise<Redacted[]> => {
  const pair = await generateKeyPair();
  return [
    new SecretBytes('unlock key', bytes()),
    new SecretText('recovery code', 'open sesame'),
    await FernetKey.import(bytes()),
    new SpaceKey(newUuid(), 1, await importSecret(bytes())),
    new AccountKeys(newUuid(), pair.publicKey, await importPrivateKey(pair.privateKey), await importSecret(bytes())),
  ];
};

const renderings: Record<string, (holder: Redacted) => string> = {
  String: (holder) => String(holder),
  JSON: (holder) => JSON.stringify({ holder }),
  inspect: (holder) => inspect(holder),
  'inspect with everything': (holder) => inspect({ holder }, { showHidden: true, depth: 9, getters: true }),
  'error cause': (holder) => inspect(new Error('failed', { cause: holder })),
  'structured clone': (holder) => {
    try {
      return inspect(structuredClone(holder), { showHidden: true, depth: 9 });
    } catch {
      return '[redacted: not cloneable]';
    }
  },
  'own properties': (holder) => inspect(Object.getOwnPropertyDescriptors(holder), { showHidden: true, depth: 9 }),
};

describe('holders of secrets', () => {
  it.each(Object.keys(renderings))('show nothing by %s', async (name) => {
    for (const holder of await holders()) {
      const text = renderings[name]!(holder);
      for (const spelling of spellings) expect(text).not.toMatch(spelling);
    }
  });

  it('say what was redacted', async () => {
    for (const holder of await holders()) {
      expect(inspect(holder)).toMatch(/^\[redacted: [A-Za-z ]+\]$/);
      expect(JSON.stringify({ holder })).toMatch(/^\{"holder":"\[redacted: [A-Za-z ]+\]"\}$/);
    }
  });

  it('the same renderings do show bytes that nobody protects', () => {
    const unprotected = new (class extends Redacted {
      readonly purpose = 'nothing';
      readonly bytes = bytes();
      readonly text = 'open sesame';
    })();
    expect(renderings['own properties']!(unprotected)).toMatch(/167,\s*167/);
    expect(renderings['structured clone']!(unprotected)).toContain('open sesame');
  });
});

describe('SecretBytes', () => {
  it('reveals on request and survives the wire form', () => {
    const secret = new SecretBytes('unlock key', bytes());
    expect(secret.reveal()).toEqual(bytes());
    expect(SecretBytes.fromBase64Url('unlock key', secret.revealBase64Url()).reveal()).toEqual(bytes());
  });

  it('overwrites the bytes when wiped and refuses afterwards', () => {
    const kept = bytes();
    const secret = new SecretBytes('unlock key', kept);
    secret.wipe();
    expect(kept).toEqual(new Uint8Array(32));
    expect(() => secret.reveal()).toThrow(expect.objectContaining({ code: 'sealing.wiped' }) as Error);
    expect(() => secret.wipe()).not.toThrow();
  });

  it('has a redacted form that no base64url reader takes for a secret', () => {
    const secret = new SecretBytes('unlock key', bytes());
    expect(() => SecretBytes.fromBase64Url('unlock key', String(secret))).toThrow();
  });
});

describe('platform keys', () => {
  it('cannot be exported', async () => {
    const fernet = await FernetKey.import(bytes());
    for (const key of [fernet.signing, fernet.encryption, await importSecret(bytes())]) {
      expect(key.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    }
  });
});
