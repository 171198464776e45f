import { fromBase64Url, newUuid, toBase64Url, toHex } from '@strongroom/kernel';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAccountRecord, type AccountRecord } from './account-record.ts';
import {
  changePassword,
  createAccount,
  recoverAccount,
  renewRecovery,
  unlockAccount,
  unlockWithRecoveryCode,
  type AccountKeys,
  type CreatedAccount,
} from './account.ts';
import { importSecret } from './internal/hkdf.ts';
import { defaultKeyDerivation } from './key-derivation-parameters.ts';
import { deriveCredentials, type Credentials } from './password.ts';
import { deriveRecoveryCredentials, generateRecoveryCode } from './recovery-code.ts';
import { SecretBytes } from './secret.ts';
import { createSpaceKey, openSpaceKey } from './space.ts';
import { unwrap } from './wrap.ts';

const code = (value: string) => expect.objectContaining({ code: value }) as Error;
const cannotOpen = code('sealing.cannot-open');
const password = 'correct horse battery staple';
const account = newUuid();

const credentialsFor = (record: AccountRecord, text = password): Promise<Credentials> =>
  deriveCredentials(text, fromBase64Url(record.salt), record.parameters);

/** Two unlocked accounts are the same when one opens what the other wrapped and their private keys agree. */
async function sameKeys(one: AccountKeys, other: AccountKeys): Promise<boolean> {
  const space = newUuid();
  const { wrapping } = await createSpaceKey(one, space);
  try {
    await openSpaceKey(other, space, 1, wrapping);
  } catch {
    return false;
  }
  const peer = await crypto.subtle.importKey('raw', one.publicKey.subarray(1), 'X25519', false, []);
  const agree = async (key: CryptoKey): Promise<string> =>
    toHex(new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, key, 256)));
  return (await agree(one.privateKey)) === (await agree(other.privateKey));
}

let created: CreatedAccount;
let credentials: Credentials;

beforeAll(async () => {
  created = await createAccount({ account, password });
  credentials = await credentialsFor(created.record);
});

describe('a new account', () => {
  it('has a record that survives JSON and holds nothing in clear', () => {
    expect(parseAccountRecord(JSON.parse(JSON.stringify(created.record)))).toEqual(created.record);
    const text = JSON.stringify(created.record);
    expect(text).not.toContain(password);
    expect(text).not.toContain(created.authenticationSecret.revealBase64Url());
    expect(text).not.toContain(created.recoveryAuthenticationSecret.revealBase64Url());
    expect(text).not.toContain(credentials.unlockKey.revealBase64Url());
    expect(text.length).toBeLessThan(1024);
  });

  it('signs in with the secret that the password gives later', () => {
    expect(credentials.authenticationSecret.reveal()).toEqual(created.authenticationSecret.reveal());
  });

  it('recovers with the secret that the code gives later', async () => {
    const recovery = await deriveRecoveryCredentials(created.recoveryCode.reveal());
    expect(recovery.recoveryAuthenticationSecret.reveal()).toEqual(created.recoveryAuthenticationSecret.reveal());
  });

  it('is not created with a weak password or weak parameters', async () => {
    await expect(createAccount({ account, password: 'too short' })).rejects.toThrow(code('sealing.invalid-password'));
    const parameters = { ...defaultKeyDerivation, passes: 1 };
    await expect(createAccount({ account, password, parameters })).rejects.toThrow(code('sealing.weak-parameters'));
  });
});

describe('the account key', () => {
  it('is wrapped for this account and this way in, each wrap on its own', async () => {
    const { record, recoveryCode } = created;
    const { recoveryKey } = await deriveRecoveryCredentials(recoveryCode);
    const password = await importSecret(credentials.unlockKey.reveal());
    const recovery = await importSecret(recoveryKey.reveal());
    const byPassword = await unwrap(password, ['account-key/password', account], record.accountKeyByPassword);
    const byRecovery = await unwrap(recovery, ['account-key/recovery', account], record.accountKeyByRecovery);
    expect(byPassword.length).toBe(32);
    expect(byRecovery).toEqual(byPassword);
    for (const context of [
      ['account-key/password', newUuid()],
      ['account-key/recovery', account],
      ['account-key/password'],
    ]) {
      await expect(unwrap(password, context as [string], record.accountKeyByPassword)).rejects.toThrow(cannotOpen);
    }
  });
});

describe('unlocking', () => {
  it('works with the password and with the recovery code, for the same keys', async () => {
    const byPassword = await unlockAccount(created.record, credentials.unlockKey);
    const byRecovery = await unlockWithRecoveryCode(created.record, created.recoveryCode.reveal());
    expect(byPassword.account).toBe(account);
    expect(await sameKeys(created.keys, byPassword)).toBe(true);
    expect(await sameKeys(created.keys, byRecovery)).toBe(true);
  });

  it('fails with another password, another code or the wrong kind of secret', async () => {
    const { record } = created;
    const wrong = await credentialsFor(record, 'correct horse battery stable');
    await expect(unlockAccount(record, wrong.unlockKey)).rejects.toThrow(cannotOpen);
    await expect(unlockAccount(record, credentials.authenticationSecret)).rejects.toThrow(cannotOpen);
    await expect(unlockWithRecoveryCode(record, await generateRecoveryCode())).rejects.toThrow(cannotOpen);
    const { recoveryKey } = await deriveRecoveryCredentials(created.recoveryCode);
    await expect(unlockAccount(record, recoveryKey)).rejects.toThrow(cannotOpen);
  });

  it('fails when the server changed anything it stores', async () => {
    const { record } = created;
    const other = await createAccount({ account: newUuid(), password: 'somebody else entirely' });
    const flip = (text: string): string => {
      const bytes = fromBase64Url(text);
      return toBase64Url(bytes.with(40, bytes[40]! ^ 1));
    };
    const tampered: Record<string, AccountRecord> = {
      'another account id': { ...record, account: newUuid() },
      'a changed account key': { ...record, accountKeyByPassword: flip(record.accountKeyByPassword) },
      'the other lock': { ...record, accountKeyByPassword: record.accountKeyByRecovery },
      'a changed private key': { ...record, privateKey: flip(record.privateKey) },
      'a foreign private key': { ...record, privateKey: other.record.privateKey },
      'a foreign public key': { ...record, publicKey: other.record.publicKey },
      'a foreign key pair': { ...record, publicKey: other.record.publicKey, privateKey: other.record.privateKey },
    };
    for (const [what, changed] of Object.entries(tampered)) {
      await expect(unlockAccount(changed, credentials.unlockKey), what).rejects.toThrow(cannotOpen);
    }
  });
});

describe('changing the password', () => {
  it('wraps the same account key anew and leaves the rest as it was', async () => {
    const changed = await changePassword(created.record, credentials.unlockKey, 'a new and longer password');
    const { salt, accountKeyByPassword, ...rest } = changed.record;
    expect(created.record).toMatchObject(rest);
    expect(salt).not.toBe(created.record.salt);
    expect(accountKeyByPassword).not.toBe(created.record.accountKeyByPassword);

    const fresh = await credentialsFor(changed.record, 'a new and longer password');
    expect(fresh.authenticationSecret.reveal()).toEqual(changed.authenticationSecret.reveal());
    expect(await sameKeys(created.keys, await unlockAccount(changed.record, fresh.unlockKey))).toBe(true);
    expect(await sameKeys(created.keys, await unlockWithRecoveryCode(changed.record, created.recoveryCode))).toBe(true);
    await expect(unlockAccount(changed.record, credentials.unlockKey)).rejects.toThrow(cannotOpen);
  });

  it('needs the current password and a good new one', async () => {
    const wrong = new SecretBytes('unlock key', new Uint8Array(32));
    await expect(changePassword(created.record, wrong, 'a new and longer password')).rejects.toThrow(cannotOpen);
    const short = changePassword(created.record, credentials.unlockKey, 'short');
    await expect(short).rejects.toThrow(code('sealing.invalid-password'));
  });
});

describe('a new recovery code', () => {
  it('opens the same keys, the former one no more, and the password as before', async () => {
    const { record, recoveryCode, recoveryAuthenticationSecret } = await renewRecovery(
      created.record,
      credentials.unlockKey,
    );
    expect({ ...record, accountKeyByRecovery: '' }).toEqual({ ...created.record, accountKeyByRecovery: '' });
    expect(await sameKeys(created.keys, await unlockWithRecoveryCode(record, recoveryCode))).toBe(true);
    await expect(unlockWithRecoveryCode(record, created.recoveryCode)).rejects.toThrow(cannotOpen);
    await expect(unlockWithRecoveryCode(created.record, recoveryCode)).rejects.toThrow(cannotOpen);
    expect(await sameKeys(created.keys, await unlockAccount(record, credentials.unlockKey))).toBe(true);
    const derived = await deriveRecoveryCredentials(recoveryCode);
    expect(recoveryAuthenticationSecret.reveal()).toEqual(derived.recoveryAuthenticationSecret.reveal());
  });

  it('needs the current password, of this account', async () => {
    const another = new SecretBytes('unlock key', new Uint8Array(32));
    await expect(renewRecovery(created.record, another)).rejects.toThrow(cannotOpen);
    const elsewhere = { ...created.record, account: newUuid() };
    await expect(renewRecovery(elsewhere, credentials.unlockKey)).rejects.toThrow(cannotOpen);
  });
});

describe('recovering', () => {
  it('sets a new password and a new code; the old ones open no more', async () => {
    const recovered = await recoverAccount(created.record, created.recoveryCode, 'after I forgot the old one');
    expect(await sameKeys(created.keys, recovered.keys)).toBe(true);
    expect(recovered.recoveryCode.reveal()).not.toBe(created.recoveryCode.reveal());

    const fresh = await credentialsFor(recovered.record, 'after I forgot the old one');
    expect(fresh.authenticationSecret.reveal()).toEqual(recovered.authenticationSecret.reveal());
    expect(await sameKeys(created.keys, await unlockAccount(recovered.record, fresh.unlockKey))).toBe(true);
    const byNewCode = await unlockWithRecoveryCode(recovered.record, recovered.recoveryCode);
    expect(await sameKeys(created.keys, byNewCode)).toBe(true);
    await expect(unlockWithRecoveryCode(recovered.record, created.recoveryCode)).rejects.toThrow(cannotOpen);
    await expect(unlockAccount(recovered.record, credentials.unlockKey)).rejects.toThrow(cannotOpen);
  });

  it('tells a mistyped code from a foreign one', async () => {
    const typed = created.recoveryCode.reveal().slice(0, -1);
    const mistyped = recoverAccount(created.record, typed, 'after I forgot the old one');
    await expect(mistyped).rejects.toThrow(code('sealing.invalid-recovery-code'));
    const foreign = recoverAccount(created.record, await generateRecoveryCode(), 'after I forgot the old one');
    await expect(foreign).rejects.toThrow(cannotOpen);
  });
});

describe('an account record', () => {
  it.each<[string, (record: AccountRecord) => unknown]>([
    ['nothing', () => null],
    ['another version', (record) => ({ ...record, version: 2 })],
    ['an unknown field', (record) => ({ ...record, recoveryKey: 'AAAA' })],
    ['no id', (record) => ({ ...record, account: 'me' })],
    ['a public key of an unknown algorithm', (record) => ({ ...record, publicKey: `Ag${record.publicKey.slice(2)}` })],
    ['a public key without its algorithm', (record) => ({ ...record, publicKey: toBase64Url(new Uint8Array(32)) })],
    ['a longer wrap', (record) => ({ ...record, privateKey: `${record.privateKey}AAAA` })],
    ['a shorter wrap', (record) => ({ ...record, accountKeyByRecovery: record.accountKeyByRecovery.slice(0, -4) })],
    ['a missing wrap', (record) => ({ ...record, accountKeyByPassword: undefined })],
    ['padding', (record) => ({ ...record, accountKeyByPassword: `${record.accountKeyByPassword}=` })],
  ])('is refused with %s', (_, change) => {
    expect(() => parseAccountRecord(change(created.record))).toThrow(code('sealing.invalid-account-record'));
  });

  it('is refused with weak parameters or a short salt', () => {
    const parameters = { ...created.record.parameters, memoryKibibytes: 1024 };
    expect(() => parseAccountRecord({ ...created.record, parameters })).toThrow(code('sealing.weak-parameters'));
    expect(() => parseAccountRecord({ ...created.record, salt: 'AAAA' })).toThrow(code('sealing.weak-parameters'));
  });
});
