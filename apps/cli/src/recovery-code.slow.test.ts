/** A new recovery code on the command line, with processes only. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

const SECOND = 'the second pass phrase of ada';
const ada = new Device();
let first = '';
beforeAll(async () => {
  first = await ada.signUp(await startVault());
});

describe('strongroom account recovery-code', () => {
  it('makes a code that recovers, and the former one no longer does', async () => {
    const wrong = await ada.run(['account', 'recovery-code'], {
      environment: { STRONGROOM_PASSWORD: 'not the right password at all' },
    });
    expect(wrong.code).not.toBe(0);
    const { recoveryCode } = await ada.json<{ recoveryCode: string }>('account', 'recovery-code');
    expect(recoveryCode).not.toBe(first);
    // The session goes on.
    await ada.lines('account', 'sessions');
    const recover = (code: string) =>
      ada.run(['account', 'recover', '--json'], {
        environment: { STRONGROOM_RECOVERY_CODE: code, STRONGROOM_NEW_PASSWORD: SECOND },
      });
    const old = await recover(first);
    expect(old.code).not.toBe(0);
    expect(old.stderr).toContain('recovery code is wrong');
    expect((await recover(recoveryCode)).code).toBe(0);
  });
});
