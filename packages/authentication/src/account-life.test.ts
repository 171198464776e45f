import { fromBase64Url, newUuid } from '@strongroom/kernel';
import { defaultKeyDerivation } from '@strongroom/sealing';
import { asSystem, type Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, manifests, type Person, Vault } from './vault.test-support.ts';
import type { Account, PasswordChanged, RecoveryStarted, SessionList, SessionStarted } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`account life on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    let anna: Person;
    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
      anna = await vault.founder('anna@example.org');
    });

    const recordOf = async (person: Person): Promise<Account['record']> =>
      (await vault.send('GET /v1/account', { headers: bearer(person.token) })).body['record'] as Account['record'];
    const signIn = (email: string, secret: string) =>
      vault.send('POST /v1/sessions', { body: { email, authenticationSecret: secret, transport: 'bearer' } });
    const start = (email: string, secret: string) =>
      vault.send('POST /v1/recovery', { body: { email, recoveryAuthenticationSecret: secret } });
    const alive = async (token: string): Promise<boolean> =>
      (await vault.send('GET /v1/account', { headers: bearer(token) })).status === 200;
    /** What the password-dependent part of a record becomes under another password. */
    const rewrapped = () => ({ salt: randomText(16), accountKeyByPassword: randomText(113) });
    const eventsOf = (type: string) => vault.events.filter((event) => event.type === type);

    describe('a new password', () => {
      const change = async (person: Person, given: object = {}, record: object = {}) => {
        const body = {
          authenticationSecret: person.secret,
          newAuthenticationSecret: randomText(32),
          record: { ...(await recordOf(person)), ...rewrapped(), ...record },
          ...given,
        };
        return { body, answer: await vault.send('PUT /v1/account/password', { body, headers: bearer(person.token) }) };
      };

      it('ends every other session, renews this one, and is the only one from then on', async () => {
        const other = (await signIn(anna.email, anna.secret)).body as SessionStarted;
        const proved = await vault.proved(anna);
        const { body, answer } = await change(proved);
        expect(answer).toMatchObject({ status: 200, body: { endedSessions: 1 } });
        const changed = answer.body as PasswordChanged;
        expect(changed.account.record).toEqual(body.record);
        expect([await alive(other.token!), await alive(proved.token), await alive(changed.token!)]).toEqual([
          false,
          false,
          true,
        ]);
        expect((await signIn(anna.email, anna.secret)).status).toBe(401);
        expect((await signIn(anna.email, body.newAuthenticationSecret)).status).toBe(201);
        expect(eventsOf('account.password-changed')).toMatchObject([
          { outcome: 'success', details: { endedSessions: 1 } },
        ]);
      });

      it('asks for a recent proof, and the changed session has none', async () => {
        expect((await change(anna)).answer).toMatchObject({ body: { code: 'pipeline.reauthentication-required' } });
        const { answer, body } = await change(await vault.proved(anna));
        const token = (answer.body as PasswordChanged).token!;
        const again = await change({ ...anna, token, secret: body.newAuthenticationSecret });
        expect(again.answer).toMatchObject({ body: { code: 'pipeline.reauthentication-required' } });
      });

      it('is refused with another secret than the present one', async () => {
        const { answer } = await change(await vault.proved(anna), { authenticationSecret: randomText(32) });
        expect(answer).toMatchObject({ status: 403, body: { code: 'authentication.wrong-secret' } });
        expect((await signIn(anna.email, anna.secret)).status).toBe(201);
      });

      it.each([
        ['another public key', { publicKey: randomText(33) }],
        ['another private key', { privateKey: randomText(114) }],
        ['another recovery wrap', { accountKeyByRecovery: randomText(113) }],
        ['another account', { account: newUuid() }],
      ])('is refused with %s', async (_what, record) => {
        const { answer } = await change(await vault.proved(anna), {}, record);
        expect(answer).toMatchObject({ status: 400, body: { code: 'authentication.record-changed' } });
        expect((await signIn(anna.email, anna.secret)).status).toBe(201);
      });

      it('is refused under the old salt and under parameters of its own', async () => {
        const proved = await vault.proved(anna);
        const { salt } = await recordOf(proved);
        expect((await change(proved, {}, { salt })).answer.body['code']).toBe('authentication.record-changed');
        const parameters = { ...defaultKeyDerivation, passes: defaultKeyDerivation.passes + 1 };
        expect((await change(proved, {}, { parameters })).answer.body['code']).toBe(
          'authentication.unsupported-parameters',
        );
      });

      it('is set once by two devices that do it at the same moment', async () => {
        const second = (await signIn(anna.email, anna.secret)).body as SessionStarted;
        const people = [anna, { ...anna, token: second.token! }];
        for (const person of people) await vault.proved(person);
        const answers = await Promise.all(people.map((person) => change(person)));
        // The loser's session was ended, or its secret is wrong by then; in no case do both count.
        expect(answers.filter(({ answer }) => answer.status === 200)).toHaveLength(1);
        const works = await Promise.all(
          answers.map(async ({ body }) => (await signIn(anna.email, body.newAuthenticationSecret)).status === 201),
        );
        expect(works.filter(Boolean)).toHaveLength(1);
      });
    });

    describe('recovery', () => {
      const finishBody = (started: RecoveryStarted, record: object = {}) => ({
        token: started.token,
        authenticationSecret: randomText(32),
        recoveryAuthenticationSecret: randomText(32),
        record: { ...started.record, ...rewrapped(), accountKeyByRecovery: randomText(113), ...record },
        transport: 'bearer',
      });
      const finish = (body: object) => vault.send('PUT /v1/recovery', { body });

      it('sets password and code, ends all sessions and starts one', async () => {
        const record = await recordOf(anna);
        const started = await start(anna.email, anna.recoverySecret);
        expect(started).toMatchObject({ status: 201, body: { record } });
        const body = finishBody(started.body as RecoveryStarted);
        const finished = await finish(body);
        expect(finished).toMatchObject({ status: 200, body: { account: { id: anna.account, record: body.record } } });
        expect(await alive(anna.token)).toBe(false);
        expect(await alive((finished.body as SessionStarted).token!)).toBe(true);
        expect((await signIn(anna.email, anna.secret)).status).toBe(401);
        expect((await signIn(anna.email, body.authenticationSecret)).status).toBe(201);
        // The old code is used up; the new one works.
        expect((await start(anna.email, anna.recoverySecret)).status).toBe(401);
        expect((await start(anna.email, body.recoveryAuthenticationSecret)).status).toBe(201);
        expect(eventsOf('account.recovered')).toMatchObject([
          { outcome: 'success', object: { id: anna.account }, details: { endedSessions: 1 } },
        ]);
      });

      it('hands out nothing for a wrong code, as for an unknown address, after the same work', async () => {
        const answers: unknown[] = [];
        const counts = [];
        // The audit log makes a key for what nobody did, and then keeps it at hand: whoever was meant.
        for (let round = 0; round < 2; round += 1) await start('somebody@example.org', randomText(32));
        for (const email of [anna.email, 'nobody@example.org']) {
          counts.push(
            await vault.countStatements(async () => {
              const { status, body } = await start(email, randomText(32));
              answers.push({ status, ...body, requestId: 0 });
            }),
          );
        }
        expect(answers[0]).toEqual(answers[1]);
        expect(answers[0]).toMatchObject({ status: 401, code: 'authentication.recovery-failed' });
        expect(counts[0]).toBe(counts[1]);
        // Neither event says whose account was meant.
        const events = eventsOf('account.recovery-started').map(({ tenant, object, subjects, details, outcome }) => {
          return { tenant, object, subjects, details, outcome };
        });
        expect(events[0]).toEqual(events[1]);
        expect(events[0]).toMatchObject({ outcome: 'denied', object: null, subjects: [] });
      });

      it('takes the password for no recovery code, nor the other way round', async () => {
        expect((await start(anna.email, anna.secret)).status).toBe(401);
        expect((await signIn(anna.email, anna.recoverySecret)).status).toBe(401);
      });

      it('is limited by address, whether there is an account or not', async () => {
        for (const email of [anna.email, 'nobody@example.org']) {
          // The limit by network address is another one, and per minute.
          vault.time += 60_000;
          const statuses = [];
          for (let attempt = 0; attempt < 12; attempt += 1) statuses.push((await start(email, randomText(32))).status);
          expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
        }
      });

      it('has one winner among parallel uses of one proof, and among several proofs of one code', async () => {
        const proofs: RecoveryStarted[] = [];
        for (let number = 0; number < 3; number += 1) {
          proofs.push((await start(anna.email, anna.recoverySecret)).body as RecoveryStarted);
        }
        const bodies = proofs.flatMap((proof) => [finishBody(proof), finishBody(proof), finishBody(proof)]);
        const answers = await Promise.all(bodies.map(finish));
        const won = answers.findIndex(({ status }) => status === 200);
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
        expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body['code']))).toEqual(
          new Set(['authentication.invalid-recovery']),
        );
        expect((await signIn(anna.email, bodies[won]!.authenticationSecret)).status).toBe(201);
      });

      it('gives a quarter of an hour', async () => {
        const proof = (await start(anna.email, anna.recoverySecret)).body as RecoveryStarted;
        vault.time += 15 * 60 * 1000;
        expect(await finish(finishBody(proof))).toMatchObject({
          status: 403,
          body: { code: 'authentication.invalid-recovery' },
        });
        expect((await signIn(anna.email, anna.secret)).status).toBe(201);
      });

      it('changes nothing else of the record, and must change the recovery wrap', async () => {
        const proof = (await start(anna.email, anna.recoverySecret)).body as RecoveryStarted;
        for (const record of [
          { publicKey: randomText(33) },
          { privateKey: randomText(114) },
          { account: newUuid() },
          { accountKeyByRecovery: proof.record.accountKeyByRecovery },
        ]) {
          expect((await finish(finishBody(proof, record))).body['code']).toBe('authentication.record-changed');
        }
        // What was refused used nothing up.
        expect((await finish(finishBody(proof))).status).toBe(200);
      });

      it('refuses a made-up token', async () => {
        const proof = (await start(anna.email, anna.recoverySecret)).body as RecoveryStarted;
        const body = finishBody({ ...proof, token: randomText(32) });
        expect((await finish(body)).body['code']).toBe('authentication.invalid-recovery');
      });

      it('stores the proof hashed', async () => {
        const proof = (await start(anna.email, anna.recoverySecret)).body as RecoveryStarted;
        const { rows } = await database.transaction(asSystem, (transaction) =>
          sql<{ row: string }>`select row_to_json(single_use_secrets)::text as row from single_use_secrets`.execute(
            transaction,
          ),
        );
        const stored = rows.map(({ row }) => row).join('\n');
        expect(stored).toContain('authentication.recovery');
        expect(stored).not.toContain(proof.token);
        expect(stored).not.toContain(Buffer.from(fromBase64Url(proof.token)).toString('hex'));
      });
    });

    describe('a new recovery code', () => {
      const newCode = async (person: Person, given: object = {}) => ({
        authenticationSecret: person.secret,
        recoveryAuthenticationSecret: randomText(32),
        accountKeyByRecovery: randomText(113),
        replaces: (await recordOf(person)).accountKeyByRecovery,
        ...given,
      });
      const renew = (person: Person, body: object) =>
        vault.send('PUT /v1/account/recovery-code', { body, headers: bearer(person.token) });

      it('takes the place of the former one, and nothing else changes', async () => {
        const other = (await signIn(anna.email, anna.secret)).body as SessionStarted;
        const proved = await vault.proved(anna);
        const before = await recordOf(proved);
        const begun = (await start(anna.email, anna.recoverySecret)).body as RecoveryStarted;
        const body = await newCode(proved);
        const answer = await renew(proved, body);
        const { accountKeyByRecovery } = body;
        const record = { ...before, accountKeyByRecovery };
        expect(answer).toMatchObject({ status: 200, body: { id: anna.account, record } });
        expect(await recordOf(proved)).toEqual(record);
        expect([await alive(other.token!), await alive(proved.token)]).toEqual([true, true]);
        expect((await signIn(anna.email, anna.secret)).status).toBe(201);
        expect(await start(anna.email, anna.recoverySecret)).toMatchObject({
          status: 401,
          body: { code: 'authentication.recovery-failed' },
        });
        expect((await start(anna.email, body.recoveryAuthenticationSecret)).status).toBe(201);
        // Whoever has the former code and was already half way in is out again.
        const finished = await vault.send('PUT /v1/recovery', {
          body: {
            token: begun.token,
            authenticationSecret: randomText(32),
            recoveryAuthenticationSecret: randomText(32),
            record: { ...begun.record, ...rewrapped(), accountKeyByRecovery: randomText(113) },
            transport: 'bearer',
          },
        });
        expect(finished.body['code']).toBe('authentication.invalid-recovery');
        expect(eventsOf('account.recovery-code-renewed')).toMatchObject([
          { outcome: 'success', object: { id: anna.account }, details: { repeated: false } },
        ]);
      });

      it('is the same when the request is repeated, and replaces no code it does not know of', async () => {
        const proved = await vault.proved(anna);
        const first = await newCode(proved);
        for (let round = 0; round < 2; round += 1) expect((await renew(proved, first)).status).toBe(200);
        expect(eventsOf('account.recovery-code-renewed').map(({ details }) => details)).toMatchObject([
          { repeated: false },
          { repeated: true },
        ]);
        const late = await newCode(proved, { replaces: first.replaces });
        expect(await renew(proved, late)).toMatchObject({
          status: 409,
          body: { code: 'authentication.recovery-code-replaced' },
        });
        expect((await start(anna.email, first.recoveryAuthenticationSecret)).status).toBe(201);
      });

      it('is not made by somebody who has the session and not the password', async () => {
        const proved = await vault.proved(anna);
        for (const authenticationSecret of [randomText(32), anna.recoverySecret]) {
          expect(await renew(proved, await newCode(proved, { authenticationSecret }))).toMatchObject({
            status: 403,
            body: { code: 'authentication.wrong-secret' },
          });
        }
        expect((await start(anna.email, anna.recoverySecret)).status).toBe(201);
      });

      it('is neither the former code in a new wrap nor a new code in the former wrap', async () => {
        const proved = await vault.proved(anna);
        const { accountKeyByRecovery } = await recordOf(proved);
        for (const given of [{ recoveryAuthenticationSecret: anna.recoverySecret }, { accountKeyByRecovery }]) {
          const answer = await renew(proved, await newCode(proved, given));
          expect(answer.body['code']).toBe('authentication.recovery-code-replaced');
        }
        expect((await start(anna.email, anna.recoverySecret)).status).toBe(201);
      });

      it('is one of two that are made at the same moment, and its wrap belongs to it', async () => {
        const proved = await vault.proved(anna);
        const bodies = [await newCode(proved), await newCode(proved)];
        const answers = await Promise.all(bodies.map((body) => renew(proved, body)));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
        const won = bodies[answers.findIndex(({ status }) => status === 200)]!;
        expect(await start(anna.email, won.recoveryAuthenticationSecret)).toMatchObject({
          status: 201,
          body: { record: { accountKeyByRecovery: won.accountKeyByRecovery } },
        });
      });

      it('asks for a recent proof', async () => {
        const answer = await renew(anna, await newCode(anna));
        expect(answer.body['code']).toBe('pipeline.reauthentication-required');
        expect((await start(anna.email, anna.recoverySecret)).status).toBe(201);
      });
    });

    describe('another e-mail address', () => {
      const change = async (person: Person, email: string) =>
        vault.send('PUT /v1/account/email', { body: { email }, headers: bearer((await vault.proved(person)).token) });

      it('is the one to sign in with; the former is free again', async () => {
        expect(await change(anna, ' Anna.New@Example.ORG ')).toMatchObject({
          status: 200,
          body: { email: 'anna.new@example.org' },
        });
        expect((await signIn('anna@example.org', anna.secret)).status).toBe(401);
        expect((await signIn('anna.new@example.org', anna.secret)).status).toBe(201);
        const ben = await vault.member(anna, 'member', 'anna@example.org');
        expect(ben.account).not.toBe(anna.account);
      });

      it('is recorded without the address', async () => {
        await change(anna, 'anna.new@example.org');
        const events = eventsOf('account.email-changed');
        expect(events).toMatchObject([{ outcome: 'success', object: { id: anna.account } }]);
        expect(JSON.stringify(events)).not.toContain('example.org');
      });

      it("is refused when it is somebody else's, in any spelling, and when it is none", async () => {
        const ben = await vault.member(anna, 'member', 'ben@example.org');
        expect(await change(ben, 'ANNA@example.org')).toMatchObject({
          status: 409,
          body: { code: 'authentication.email-in-use' },
        });
        expect(await change(ben, 'ben at example')).toMatchObject({ status: 400 });
        expect((await signIn('ben@example.org', ben.secret)).status).toBe(201);
        expect(await change(ben, 'ben@example.org')).toMatchObject({ status: 200 });
      });

      it('goes to one of two who want it at the same moment', async () => {
        const ben = await vault.proved(await vault.member(anna, 'member', 'ben@example.org'));
        await vault.proved(anna);
        const answers = await Promise.all(
          [anna, ben].map((person) =>
            vault.send('PUT /v1/account/email', { body: { email: 'x@example.org' }, headers: bearer(person.token) }),
          ),
        );
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
      });

      it('asks for a recent proof', async () => {
        const answer = await vault.send('PUT /v1/account/email', {
          body: { email: 'x@example.org' },
          headers: bearer(anna.token),
        });
        expect(answer.body['code']).toBe('pipeline.reauthentication-required');
      });
    });

    it('all other sessions end at once, those of others do not', async () => {
      const ben = await vault.member(anna, 'member', 'ben@example.org');
      await signIn(anna.email, anna.secret);
      await signIn(anna.email, anna.secret);
      const answer = await vault.send('DELETE /v1/sessions', { headers: bearer(anna.token) });
      expect(answer).toMatchObject({ status: 200, body: { ended: 2 } });
      const list = (await vault.send('GET /v1/sessions', { headers: bearer(anna.token) })).body as SessionList;
      expect(list.items.map(({ current }) => current)).toEqual([true]);
      expect(await alive(ben.token)).toBe(true);
      expect(eventsOf('session.others-ended')).toMatchObject([{ details: { ended: 2 } }]);
    });
  });
}
