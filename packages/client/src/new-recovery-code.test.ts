import { fromBase64Url, newUuid } from '@strongroom/kernel';
import {
  createAccount,
  deriveCredentials,
  deriveRecoveryCredentials,
  SecretBytes,
  unlockAccount,
  unlockWithRecoveryCode,
} from '@strongroom/sealing';
import { describe, expect, it } from 'vitest';
import { newRecoveryCode } from './internal/new-recovery-code.ts';

const PASSWORD = 'a long enough pass phrase';
const cannotOpen = expect.objectContaining({ code: 'sealing.cannot-open' });

describe('a new recovery code', () => {
  it('opens the same keys, the former one no more, and the password as before', async () => {
    const { record, recoveryCode: former, keys } = await createAccount({ account: newUuid(), password: PASSWORD });
    const { unlockKey } = await deriveCredentials(PASSWORD, fromBase64Url(record.salt), record.parameters);
    const made = await newRecoveryCode(record, unlockKey);
    const renewed = { ...record, accountKeyByRecovery: made.accountKeyByRecovery };
    const opened = await unlockWithRecoveryCode(renewed, made.recoveryCode);
    expect(opened.publicKey).toEqual(keys.publicKey);
    await expect(unlockWithRecoveryCode(renewed, former)).rejects.toEqual(cannotOpen);
    await expect(unlockWithRecoveryCode(record, made.recoveryCode)).rejects.toEqual(cannotOpen);
    expect((await unlockAccount(renewed, unlockKey)).publicKey).toEqual(keys.publicKey);
    const { recoveryAuthenticationSecret } = await deriveRecoveryCredentials(made.recoveryCode);
    expect(made.recoveryAuthenticationSecret.revealBase64Url()).toBe(recoveryAuthenticationSecret.revealBase64Url());

    const another = new SecretBytes('unlock key', new Uint8Array(32));
    await expect(newRecoveryCode(record, another)).rejects.toEqual(cannotOpen);
    await expect(newRecoveryCode({ ...record, account: newUuid() }, unlockKey)).rejects.toEqual(cannotOpen);
  });
});
