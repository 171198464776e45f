import { fromBase64Url } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sessionLifetimes } from './lifetimes.ts';
import { type Answer, bearer, manifests, type Person, Vault } from './vault.test-support.ts';
import type { SessionStarted, SignInParameters } from './wire.ts';

/** Everything of an answer that may differ between two requests for other reasons than the account. */
const comparable = ({ status, headers, body }: Answer) => ({
  status,
  headers: { ...headers, 'x-request-id': '', ratelimit: '' },
  body: { ...body, requestId: '' },
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`sign-in on ${engine.name}`, () => {
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

    const signIn = (email: string, authenticationSecret: string, transport: 'bearer' | 'cookie' = 'bearer') =>
      vault.send('POST /v1/sessions', { body: { email, authenticationSecret, transport } });
    const parameters = (email: string) => vault.send('POST /v1/sign-in/parameters', { body: { email } });

    it('answers with a session and the sealed account record', async () => {
      const answer = await signIn('Anna@Example.org', anna.secret);
      expect(answer.status).toBe(201);
      const { token, session, account } = answer.body as SessionStarted;
      expect(account.id).toBe(anna.account);
      expect(session.transport).toBe('bearer');
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(Date.parse(session.expiresAt) - vault.time).toBe(sessionLifetimes.bearer.absoluteSeconds * 1000);
      const own = await vault.send('GET /v1/account', { headers: bearer(token!) });
      expect(own.body).toEqual(account);
    });

    it('puts the token into the cookie and nowhere else when asked to', async () => {
      const answer = await signIn(anna.email, anna.secret, 'cookie');
      expect(answer.body['token']).toBeNull();
      const cookie = answer.headers['set-cookie'] as string;
      expect(cookie).toMatch(
        /^__Host-strongroom=[\w-]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=86400$/,
      );
      const [pair] = cookie.split(';');
      expect(await vault.send('GET /v1/account', { headers: { cookie: pair! } })).toMatchObject({ status: 200 });
    });

    it('gives a new token each time, whatever the caller presents', async () => {
      const planted = randomText(32);
      const headers = { cookie: `__Host-strongroom=${planted}` };
      const body = { email: anna.email, authenticationSecret: anna.secret, transport: 'cookie' };
      const tokens = new Set<string>();
      for (let round = 0; round < 3; round += 1) {
        const answer = await vault.send('POST /v1/sessions', { body, headers });
        expect(answer.status).toBe(201);
        tokens.add(/=([\w-]{64});/.exec(answer.headers['set-cookie'] as string)![1]!);
      }
      expect(tokens.size).toBe(3);
      expect(tokens).not.toContain(planted);
      expect(await vault.send('GET /v1/account', { headers })).toMatchObject({ status: 401 });
    });

    it('answers a wrong secret and an unknown account alike, after the same statements', async () => {
      let wrong: Answer | undefined;
      let unknown: Answer | undefined;
      // The audit log makes a key for what nobody did, and then keeps it at hand: whoever was meant.
      for (let round = 0; round < 2; round += 1) await signIn('somebody@example.org', anna.secret);
      const forWrong = await vault.countStatements(async () => {
        wrong = await signIn(anna.email, randomText(32));
      });
      const forUnknown = await vault.countStatements(async () => {
        unknown = await signIn('nobody@example.org', anna.secret);
      });
      expect(wrong).toMatchObject({ status: 401, body: { code: 'authentication.sign-in-failed' } });
      expect(comparable(unknown!)).toEqual(comparable(wrong!));
      expect(forUnknown).toBe(forWrong);
      expect(forWrong).toBeGreaterThan(0);
      figure(`failed sign-in on ${engine.name}: ${forWrong} statements for a known and for an unknown account`);
      // Nor does the audit log tell them apart.
      const [first, second] = vault.events.slice(-2).map(({ context: _context, ...event }) => event);
      expect(first).toEqual(second);
      expect(first).toMatchObject({ type: 'session.created', outcome: 'denied', subjects: [] });
    });

    it('answers parameters for unknown accounts that look like real ones', async () => {
      let known: Answer | undefined;
      let unknown: Answer | undefined;
      const forKnown = await vault.countStatements(async () => {
        known = await parameters(' ANNA@example.org');
      });
      const forUnknown = await vault.countStatements(async () => {
        unknown = await parameters('nobody@example.org');
      });
      expect(forUnknown).toBe(forKnown);
      const { keyDerivation: real } = known!.body as SignInParameters;
      const { keyDerivation: madeUp } = unknown!.body as SignInParameters;
      expect(real.salt).toBe(
        (await vault.send('GET /v1/account', { headers: bearer(anna.token) })).body['record']!['salt' as never],
      );
      expect(madeUp.parameters).toEqual(real.parameters);
      expect(fromBase64Url(madeUp.salt)).toHaveLength(fromBase64Url(real.salt).length);
      expect(comparable({ ...unknown!, body: {} })).toEqual(comparable({ ...known!, body: {} }));

      const again = (await parameters('Nobody@example.org')).body as SignInParameters;
      const other = (await parameters('somebody@example.org')).body as SignInParameters;
      expect(again.keyDerivation.salt).toBe(madeUp.salt);
      expect(other.keyDerivation.salt).not.toBe(madeUp.salt);
    });

    it('bounds the guesses at one account, whatever the spelling and whether or not it exists', async () => {
      for (const spellings of [
        ['anna@example.org', 'ANNA@example.org', ' anna@EXAMPLE.org'],
        ['nobody@example.org', 'Nobody@example.org', 'nobody@ｅxample.org'],
      ]) {
        const statuses: number[] = [];
        for (let attempt = 0; attempt < 12; attempt += 1) {
          statuses.push((await signIn(spellings[attempt % spellings.length]!, randomText(32))).status);
        }
        expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
      }
      // The right secret is not tried either; the session that exists works on.
      expect(await signIn(anna.email, anna.secret)).toMatchObject({ status: 429 });
      expect(await vault.send('GET /v1/account', { headers: bearer(anna.token) })).toMatchObject({ status: 200 });
      vault.time += 15 * 60 * 1000;
      expect(await signIn(anna.email, anna.secret)).toMatchObject({ status: 201 });
    });

    it.each([
      ['no address', { email: 'anna' }, 400],
      ['a secret of another length', { authenticationSecret: randomText(33) }, 400],
      ['a secret in another alphabet', { authenticationSecret: '+'.repeat(43) }, 400],
      ['an unknown field', { admin: true }, 400],
    ])('refuses %s', async (_name, change, status) => {
      const body = { email: anna.email, authenticationSecret: anna.secret, transport: 'bearer', ...change };
      expect(await vault.send('POST /v1/sessions', { body })).toMatchObject({ status });
    });

    it('refuses the secret of another account', async () => {
      const ben = await vault.member(anna, 'member', 'ben@example.org');
      expect(await signIn(ben.email, anna.secret)).toMatchObject({ status: 401 });
      expect(await signIn(ben.email, ben.secret)).toMatchObject({ status: 201 });
    });
  });
}
