import { createAccount, defaultKeyDerivation } from '@strongroom/sealing';
import { newUuid } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { randomText, signUpBody } from '@strongroom/testing/sign-up';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SETUP_INVITATION_SECONDS, INVITATION_SECONDS } from './lifetimes.ts';
import { ensureSetupInvitation } from './setup.ts';
import { bearer, manifests, Vault } from './vault.test-support.ts';
import type { SessionStarted } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`sign-up on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
    });

    const signUp = (body: unknown) => vault.send('POST /v1/accounts', { body });

    it('makes the first owner with the set-up link, once', async () => {
      const token = await vault.setupToken();
      const body = signUpBody(token, ' Anna@Example.org ');
      const answer = await signUp(body);
      expect(answer.status).toBe(201);
      const started = answer.body as SessionStarted;
      expect(started.account).toMatchObject({
        id: body.record.account,
        email: 'anna@example.org',
        displayName: body.displayName,
        role: 'owner',
        record: body.record,
      });
      const account = await vault.send('GET /v1/account', { headers: bearer(started.token!) });
      expect(account.body).toEqual(started.account);

      expect(await signUp(signUpBody(token, 'eve@example.org'))).toMatchObject({
        status: 403,
        body: { code: 'authentication.invalid-invitation' },
      });
      expect(await ensureSetupInvitation(vault.services)).toBeNull();
    });

    it('takes the record that the sealing package really makes', async () => {
      const account = newUuid();
      const created = await createAccount({ account, password: 'correct horse battery staple' });
      const body = {
        ...signUpBody(await vault.setupToken(), 'anna@example.org'),
        authenticationSecret: created.authenticationSecret.revealBase64Url(),
        recoveryAuthenticationSecret: created.recoveryAuthenticationSecret.revealBase64Url(),
        record: created.record,
      };
      const answer = await signUp(body);
      expect(answer.status).toBe(201);
      expect((answer.body as SessionStarted).account.record).toEqual(created.record);
    });

    it('voids a set-up link when a newer one is made, and when a day has passed', async () => {
      const former = await vault.setupToken();
      const current = await vault.setupToken();
      expect(await signUp(signUpBody(former, 'anna@example.org'))).toMatchObject({ status: 403 });

      vault.time += SETUP_INVITATION_SECONDS * 1000;
      expect(await signUp(signUpBody(current, 'anna@example.org'))).toMatchObject({ status: 403 });

      const fresh = await vault.setupToken();
      vault.time += SETUP_INVITATION_SECONDS * 1000 - 1;
      expect(await signUp(signUpBody(fresh, 'anna@example.org'))).toMatchObject({ status: 201 });
    });

    it('keeps one set-up link when several replicas start at once', async () => {
      for (let round = 0; round < 6; round += 1) {
        vault = await Vault.open(database);
        const tokens = await Promise.all(Array.from({ length: 4 }, () => vault.setupToken()));
        const answers = await Promise.all(
          tokens.map((token, index) => signUp(signUpBody(token, `person${index}@example.org`))),
        );
        const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
        expect(statuses).toEqual([201, 403, 403, 403]);
      }
    });

    it('lets exactly one of many use an invitation at the same moment', async () => {
      const owner = await vault.founder();
      const token = await vault.invitation(await vault.proved(owner), 'member');
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => signUp(signUpBody(token, `guest${index}@example.org`))),
      );
      const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
      expect(statuses).toEqual([201, 403, 403, 403, 403, 403, 403, 403]);
    });

    it('does not use the invitation up when the address or id is taken, however it is spelt', async () => {
      const owner = await vault.founder('anna@example.org');
      const token = await vault.invitation(await vault.proved(owner), 'viewer');
      const taken = { status: 409, body: { code: 'authentication.account-exists' } };
      expect(await signUp(signUpBody(token, 'ＡＮＮＡ@EXAMPLE.org'))).toMatchObject(taken);
      const sameId = signUpBody(token, 'ben@example.org');
      expect(await signUp({ ...sameId, record: { ...sameId.record, account: owner.account } })).toMatchObject(taken);

      const answer = await signUp(signUpBody(token, 'ben@example.org'));
      expect(answer).toMatchObject({ status: 201, body: { account: { role: 'viewer' } } });
    });

    it('lets the holder of an invitation ask ten times a day, no more', async () => {
      const owner = await vault.founder('anna@example.org');
      const token = await vault.invitation(await vault.proved(owner), 'viewer');
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 11; attempt += 1) {
        statuses.push((await signUp(signUpBody(token, 'anna@example.org'))).status);
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 409), 429]);
    });

    it('refuses an invitation that expired', async () => {
      const owner = await vault.founder();
      const token = await vault.invitation(await vault.proved(owner), 'member');
      vault.time += INVITATION_SECONDS * 1000;
      expect(await signUp(signUpBody(token, 'ben@example.org'))).toMatchObject({ status: 403 });
    });

    it('leaves nothing behind when sign-up fails at the end', async () => {
      const token = await vault.setupToken();
      const body = signUpBody(token, 'anna@example.org');
      const parameters = { ...defaultKeyDerivation, passes: 4 };
      expect(await signUp({ ...body, record: { ...body.record, parameters } })).toMatchObject({
        status: 400,
        body: { code: 'authentication.unsupported-parameters' },
      });
      expect(await signUp(body)).toMatchObject({ status: 201 });
    });

    it.each([
      ['an invitation of another length', { invitation: randomText(31) }],
      ['an unknown field', { role: 'owner' }],
      ['no e-mail address', { email: 'anna' }],
      ['an address with a second recipient', { email: 'anna@example.org\nbcc:eve@example.org' }],
      ['an empty name', { displayName: ' \t ' }],
      ['a name with a line break', { displayName: 'Anna\nAdmin' }],
      ['a name that turns the text around', { displayName: 'Anna\u202enimda' }],
      ['a short secret', { authenticationSecret: randomText(16) }],
      ['another transport', { transport: 'url' }],
    ])('refuses %s and keeps the invitation', async (_name, change) => {
      const body = signUpBody(await vault.setupToken(), 'anna@example.org');
      expect(await signUp({ ...body, ...change })).toMatchObject({ status: 400 });
      expect(await signUp(body)).toMatchObject({ status: 201 });
    });
  });
}
