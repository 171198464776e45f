/** A new recovery code without recovering, over real HTTP: in a vault of its own, since proofs of a password are limited. */
import { randomBytes } from 'node:crypto';
import { toBase64Url, type Uuid } from '@strongroom/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMAIL, type Live, liveWithMemory, MEMORY, PASSWORD, textsIn } from './live.test-support.ts';
import type { Vault } from './vault.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const SECOND = 'the second pass phrase of anna';
const bearer = { transport: 'bearer' as const };

let live: Live;
let anna: Vault;
let recoveryCode: string;
let space: Uuid;

const newVault = (): Vault => live.vault();
const texts = (vault: Vault): Promise<string[]> => textsIn(vault, space);
const recovering = (vault: Vault, old: string) =>
  vault.recover({ email: EMAIL, recoveryCode: old, newPassword: SECOND, ...bearer });

beforeAll(async () => {
  ({ live, anna, recoveryCode, space } = await liveWithMemory());
});
afterAll(() => live.close());

describe('a new recovery code', () => {
  it('is not made with a wrong password: nothing reaches the server', async () => {
    const before = live.sent.length;
    await expect(anna.renewRecoveryCode(SECOND)).rejects.toEqual(code('client.wrong-password'));
    expect(live.sent).toHaveLength(before);
  });

  it('replaces the former one, ends no session, and keeps password and memories', async () => {
    const other = newVault();
    await other.signIn({ email: EMAIL, password: PASSWORD, ...bearer });
    const former = recoveryCode;
    const { token, recoveryCode: made } = await anna.renewRecoveryCode(PASSWORD);
    expect(token).not.toBeNull();
    expect(await texts(anna)).toEqual([MEMORY]);
    expect((await other.api.account()).record).toEqual(anna.account!.record);
    // The other device still has the former record at hand.
    recoveryCode = (await other.renewRecoveryCode(PASSWORD)).recoveryCode.reveal();
    for (const old of [former, made.reveal()]) {
      await expect(recovering(newVault(), old)).rejects.toEqual(code('authentication.recovery-failed'));
    }
    await newVault().signIn({ email: EMAIL, password: PASSWORD, ...bearer });
  });

  it('is not believed when the server answers with another record', async () => {
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname !== '/v1/account/recovery-code') return answer;
      const body = (await answer.json()) as { record: Record<string, unknown> };
      body.record['accountKeyByRecovery'] = toBase64Url(new Uint8Array(randomBytes(113)));
      return Response.json(body);
    };
    await expect(anna.renewRecoveryCode(PASSWORD)).rejects.toEqual(code('client.bad-answer'));
    live.wire = fetch;
  });

  it('is the one that counts also when its answer gets lost', async () => {
    let lost = 0;
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname !== '/v1/account/recovery-code' || lost > 0) return answer;
      lost += 1;
      throw new TypeError('gone');
    };
    recoveryCode = (await anna.renewRecoveryCode(PASSWORD)).recoveryCode.reveal();
    live.wire = fetch;
    expect(lost).toBe(1);
    const recovered = newVault();
    await recovering(recovered, recoveryCode);
    expect(await texts(recovered)).toEqual([MEMORY]);
  });
});
