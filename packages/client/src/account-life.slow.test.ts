/** An account from its first password to its deletion, over real HTTP. */
import { randomBytes } from 'node:crypto';
import { fromBase64Url, toBase64Url, type Uuid } from '@strongroom/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDeletionCertificate, proveDeletion } from './account-life.ts';
import { createApi } from './api.ts';
import { remoteLogSource, verifierKeys } from './audit.ts';
import type { DeletionCertificate } from './internal/people-calls.ts';
import { parseInvitationCode } from './invitation-code.ts';
import { EMAIL, type Live, liveWithMemory, MEMORY, PASSWORD, textsIn } from './live.test-support.ts';
import type { Vault } from './vault.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const SECOND = 'the second pass phrase of anna';
const THIRD = 'the third pass phrase of anna';
const bearer = { transport: 'bearer' as const };

let live: Live;
let anna: Vault;
let recoveryCode: string;
let space: Uuid;

const newVault = (onToken?: (token: string) => void): Vault => live.vault(onToken === undefined ? {} : { onToken });
const texts = (vault: Vault): Promise<string[]> => textsIn(vault, space);

beforeAll(async () => {
  ({ live, anna, recoveryCode, space } = await liveWithMemory());
});
afterAll(() => live.close());

describe('a new password', () => {
  it('is not asked for with a wrong one: nothing reaches the server', async () => {
    const before = live.sent.length;
    await expect(anna.changePassword('not the pass phrase at all', SECOND)).rejects.toEqual(
      code('client.wrong-password'),
    );
    await expect(anna.changePassword(PASSWORD, 'too short')).rejects.toEqual(code('sealing.invalid-password'));
    expect(live.sent).toHaveLength(before);
  });

  it('keeps this vault open, ends the others, and opens everything from then on', async () => {
    const other = newVault();
    await other.signIn({ email: EMAIL, password: PASSWORD, ...bearer });
    const { token } = await anna.changePassword(PASSWORD, SECOND);
    expect(token).not.toBeNull();
    expect(await texts(anna)).toEqual([MEMORY]);
    await anna.remember(space, { text: 'written after the change' });
    await expect(other.api.account()).rejects.toEqual(code('authentication.invalid-session'));
    const late = newVault();
    await expect(late.signIn({ email: EMAIL, password: PASSWORD, ...bearer })).rejects.toEqual(
      code('authentication.sign-in-failed'),
    );
    await late.signIn({ email: EMAIL, password: SECOND, ...bearer });
    expect(await texts(late)).toHaveLength(2);
  });

  it('tells whoever keeps the token of every new one, also when the change itself fails', async () => {
    const tokens: string[] = [];
    const kept = newVault((token) => tokens.push(token));
    await kept.signIn({ email: EMAIL, password: SECOND, ...bearer });
    live.wire = (address, init) =>
      address.pathname === '/v1/account/password' ? Promise.reject(new TypeError('gone')) : fetch(address, init);
    await expect(kept.changePassword(SECOND, THIRD)).rejects.toEqual(code('client.unreachable'));
    live.wire = fetch;
    expect(tokens).toHaveLength(1);
    const resumed = live.vault({
      api: createApi({ baseUrl: live.baseUrl, fetch: live.fetch, token: tokens[0]! }),
    });
    await resumed.resume();
    await resumed.unlock(SECOND);
    expect(await texts(resumed)).toHaveLength(2);
  });

  it('is found to count when its answer gets lost, and the vault goes on under a new session', async () => {
    const tokens: string[] = [];
    const cut = newVault((token) => tokens.push(token));
    await cut.signIn({ email: EMAIL, password: SECOND, ...bearer });
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname === '/v1/account/password') throw new TypeError('gone');
      return answer;
    };
    await cut.changePassword(SECOND, THIRD);
    live.wire = fetch;
    expect(await texts(cut)).toHaveLength(2);
    expect(tokens).toHaveLength(2);
    await expect(newVault().signIn({ email: EMAIL, password: SECOND, ...bearer })).rejects.toEqual(
      code('authentication.sign-in-failed'),
    );
  });

  it('is not believed when the server answers with another record', async () => {
    const victim = newVault();
    await victim.signIn({ email: EMAIL, password: THIRD, ...bearer });
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname !== '/v1/account/password') return answer;
      const body = (await answer.json()) as { account: { record: Record<string, unknown> } };
      body.account.record['accountKeyByRecovery'] = toBase64Url(new Uint8Array(randomBytes(113)));
      return Response.json(body);
    };
    await expect(victim.changePassword(THIRD, SECOND)).rejects.toEqual(code('client.bad-answer'));
    live.wire = fetch;
    // The server did store the new password: that is what it answered wrongly about.
    anna = newVault();
    await anna.signIn({ email: EMAIL, password: SECOND, ...bearer });
  });
});

describe('recovery', () => {
  it('refuses a mistyped code on the spot and a wrong one on the server', async () => {
    const options = { email: EMAIL, newPassword: THIRD, ...bearer };
    const before = live.sent.length;
    await expect(newVault().recover({ ...options, recoveryCode: `${recoveryCode.slice(0, -1)}!` })).rejects.toEqual(
      code('sealing.invalid-recovery-code'),
    );
    await expect(newVault().recover({ ...options, recoveryCode, newPassword: 'short' })).rejects.toEqual(
      code('sealing.invalid-password'),
    );
    expect(live.sent).toHaveLength(before);
    const wrong = '000G-40R4-0M30-E209-185G-R38E-1W81-24GK-BFQJ';
    for (const email of [EMAIL, 'nobody@example.org']) {
      await expect(newVault().recover({ ...options, email, recoveryCode: wrong })).rejects.toEqual(
        code('authentication.recovery-failed'),
      );
    }
  });

  it('opens everything with a new password and a new code, ends all sessions, and uses the old code up', async () => {
    const recovered = newVault();
    const answer = await recovered.recover({
      email: EMAIL,
      recoveryCode: recoveryCode.toLowerCase().replaceAll('-', ' '),
      newPassword: THIRD,
      ...bearer,
    });
    expect(await texts(recovered)).toHaveLength(2);
    await expect(anna.api.account()).rejects.toEqual(code('authentication.invalid-session'));
    const again = { email: EMAIL, recoveryCode, newPassword: SECOND, ...bearer };
    await expect(newVault().recover(again)).rejects.toEqual(code('authentication.recovery-failed'));
    recoveryCode = answer.recoveryCode.reveal();
    anna = newVault();
    const second = await anna.recover({ email: EMAIL, recoveryCode, newPassword: SECOND, ...bearer });
    recoveryCode = second.recoveryCode.reveal();
    expect(await texts(anna)).toHaveLength(2);
  });

  it('gives the new code also when its answer gets lost', async () => {
    const cut = newVault();
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname === '/v1/recovery' && init.method === 'PUT') throw new TypeError('gone');
      return answer;
    };
    const recovered = await cut.recover({ email: EMAIL, recoveryCode, newPassword: THIRD, ...bearer });
    live.wire = fetch;
    expect(await texts(cut)).toHaveLength(2);
    anna = newVault();
    recoveryCode = recovered.recoveryCode.reveal();
    const second = await anna.recover({ email: EMAIL, recoveryCode, newPassword: SECOND, ...bearer });
    recoveryCode = second.recoveryCode.reveal();
  });

  it('is not believed when the server hands out a weaker record', async () => {
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname !== '/v1/recovery' || init.method !== 'POST') return answer;
      const body = (await answer.json()) as { record: { parameters: Record<string, unknown> } };
      body.record.parameters['memoryKibibytes'] = 8;
      return Response.json(body);
    };
    const before = live.sent.length;
    const attempt = newVault().recover({ email: EMAIL, recoveryCode, newPassword: THIRD, ...bearer });
    await expect(attempt).rejects.toEqual(code('sealing.weak-parameters'));
    live.wire = fetch;
    expect(
      live.sent.slice(before).filter((request) => request.includes('newPassword') || request.includes(THIRD)),
    ).toEqual([]);
    // Nothing was set, so the code is still good.
    expect(await texts(anna)).toHaveLength(2);
  });
});

describe('address and sessions', () => {
  it('change and end', async () => {
    await expect(anna.changeEmail('new@example.org', 'not the pass phrase at all')).rejects.toEqual(
      code('authentication.wrong-secret'),
    );
    expect(await anna.changeEmail('new@example.org', SECOND)).toMatchObject({ email: 'new@example.org' });
    const other = newVault();
    await other.signIn({ email: 'new@example.org', password: SECOND, ...bearer });
    expect(await anna.endOtherSessions()).toBe(1);
    await expect(other.api.account()).rejects.toEqual(code('authentication.invalid-session'));
  });
});

describe('deletion', () => {
  let ben: Vault;
  let certificate: DeletionCertificate;
  beforeAll(async () => {
    await anna.reauthenticate(SECOND);
    const { code: invitation } = await anna.invite('member');
    expect(parseInvitationCode(invitation).inviter).toMatchObject({ account: anna.account!.id });
    expect((await anna.invitations()).map(({ role }) => role)).toEqual(['member']);
    ben = newVault();
    await ben.signUp({ invitation, email: 'ben@example.org', displayName: 'Ben', password: PASSWORD, ...bearer });
    expect(await anna.invitations()).toEqual([]);
    const own = await ben.createSpace('Alone');
    await ben.remember(own.id, { text: 'only mine' });
  });

  it('says what it will do and is not done by a slip of the hand', async () => {
    expect(await ben.deletionPlan()).toMatchObject({
      sessions: 1,
      tenantEnds: false,
      lastOwner: false,
      spaces: [{ memories: 1, authored: 1, otherMembers: 0, outcome: 'delete' }],
    });
    await expect(ben.deleteAccount({ password: PASSWORD, confirmation: 'anna@example.org' })).rejects.toEqual(
      code('authentication.wrong-confirmation'),
    );
    await expect(
      ben.deleteAccount({ password: 'not the pass phrase at all', confirmation: 'ben@example.org' }),
    ).rejects.toEqual(code('authentication.wrong-secret'));
    await expect(anna.deleteAccount({ password: SECOND, confirmation: 'new@example.org' })).rejects.toEqual(
      code('authorization.last-owner'),
    );
  });

  it('leaves nothing to sign in to, and gives a certificate', async () => {
    const { id } = ben.account!;
    certificate = await ben.deleteAccount({ password: PASSWORD, confirmation: ' Ben@example.org ' });
    expect(certificate).toMatchObject({ account: id, destroyed: { spaces: 1, memories: 1, sessions: 1 } });
    expect([ben.account, ben.locked]).toEqual([null, true]);
    await expect(newVault().signIn({ email: 'ben@example.org', password: PASSWORD, ...bearer })).rejects.toEqual(
      code('authentication.sign-in-failed'),
    );
    expect((await anna.members()).map(({ account }) => account)).toEqual([anna.account!.id]);
  });

  it('is proved by the audit log, whoever keeps the certificate', async () => {
    const keys = async () => verifierKeys(anna.api);
    await live.sequence();
    const proved = await proveDeletion(structuredClone(certificate), remoteLogSource(anna.api), await keys());
    expect(proved!.index).toBeLessThan(proved!.size);
    // A certificate for something that never happened fits no log.
    const entry = fromBase64Url(certificate.entry);
    entry[entry.length - 1]! ^= 1;
    const forged = { ...certificate, entry: toBase64Url(entry) };
    expect(() => checkDeletionCertificate(forged)).toThrow(code('client.invalid-certificate'));
    const elsewhere = { ...certificate, leafHash: toBase64Url(new Uint8Array(randomBytes(32))) };
    expect(() => checkDeletionCertificate(elsewhere)).toThrow(code('client.invalid-certificate'));
    expect(() => checkDeletionCertificate({})).toThrow(code('client.invalid-certificate'));
    expect(() => checkDeletionCertificate(null)).toThrow(code('client.invalid-certificate'));
  });

  it('is not proved by a log that leaves it out', async () => {
    await live.sequence();
    const source = remoteLogSource(anna.api);
    const without = {
      ...source,
      entries: async (from: number, to: number) =>
        (await source.entries(from, to)).map((entry) =>
          toBase64Url(entry.leafHash) === certificate.leafHash
            ? { ...entry, leafHash: new Uint8Array(32), event: 'withheld' as const }
            : entry,
        ),
    };
    await expect(proveDeletion(certificate, without, await verifierKeys(anna.api))).rejects.toEqual(
      code('client.invalid-certificate'),
    );
  });

  it('of the last member ends the tenant', async () => {
    expect(await anna.deletionPlan()).toMatchObject({ tenantEnds: true });
    const last = await anna.deleteAccount({ password: SECOND, confirmation: 'new@example.org' });
    expect(last.destroyed).toMatchObject({ tenant: true });
  });
});
