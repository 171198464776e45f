/** The index of e-mail addresses made anew while people sign up, sign in, recover and change their address: in no state is anybody missed, or an address taken twice. */
import type { IndexState } from '@strongroom/encryption';
import { asSystem, type Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { signUpBody } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { people } from './people.ts';
import { type Answer, bearer, manifests, type Person, Vault } from './vault.test-support.ts';
import type { SignInParameters } from './wire.ts';

/** Milliseconds. */
const HOUR = 3_600_000;
const index = ['accounts', 'email'] as const;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`rotation of the index of addresses on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    let anna: Person;
    let known: Person[];

    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
      anna = await vault.founder();
      known = [anna];
      await joins();
      await vault.services.encryption.keyTree.rotate(database, { settle: 0 });
    });

    const joins = async (): Promise<void> => {
      const person = await vault.member(anna, 'member', `person${known.length}@example.org`);
      known.push(person);
      // One limit counts for everybody of these tests, who all come from one address.
      vault.time += 6 * HOUR;
      const again = await vault.send('POST /v1/sessions', signInBody(anna));
      anna.token = again.body['token'] as string;
    };
    const signInBody = ({ email, secret }: Person, spelling = email) => ({
      body: { email: spelling, authenticationSecret: secret, transport: 'bearer' },
    });
    const columns = async (): Promise<readonly number[]> => {
      const { rows } = await database.transaction(asSystem, (transaction) =>
        sql<{ first: number; second: number }>`
          select count(email_index) as first, count(email_index_next) as second from accounts`.execute(transaction),
      );
      return [rows[0]!.first, rows[0]!.second];
    };

    /** Whatever looks for an address finds its account, and whatever takes one refuses a second. */
    async function expectWhole(): Promise<void> {
      const [first, last] = [known[0]!, known.at(-1)!];
      for (const person of [first, last]) {
        vault.time += 6 * HOUR;
        expect(
          await vault.send('POST /v1/sessions', signInBody(person, ` ${person.email.toUpperCase()}`)),
        ).toMatchObject({ status: 201, body: { account: { id: person.account } } });
        const asked = await vault.send('POST /v1/sign-in/parameters', { body: { email: person.email } });
        const own = await saltOf(person);
        expect((asked.body as SignInParameters).keyDerivation.salt).toBe(own);
        const recovery = { email: person.email, recoveryAuthenticationSecret: person.recoverySecret };
        expect(await vault.send('POST /v1/recovery', { body: recovery })).toMatchObject({ status: 201 });
      }
      expect(await vault.send('POST /v1/sessions', signInBody(first, 'nobody@example.org'))).toMatchObject({
        status: 401,
      });
      const found = await database.transaction(asSystem, (transaction) =>
        people(vault.services).accountByEmail(transaction, last.email),
      );
      expect(found).toBe(last.account);
      anna.token = (await vault.send('POST /v1/sessions', signInBody(anna))).body['token'] as string;
      for (const { email } of [first, last]) {
        const token = await vault.invitation(await vault.proved(anna), 'member');
        expect(await vault.send('POST /v1/accounts', { body: signUpBody(token, email) })).toMatchObject({
          status: 409,
          body: { code: 'authentication.account-exists' },
        });
      }
      const taken = { body: { email: last.email }, headers: bearer((await vault.proved(anna)).token) };
      expect(await vault.send('PUT /v1/account/email', taken)).toMatchObject({
        status: 409,
        body: { code: 'authentication.email-in-use' },
      });
    }

    const saltOf = async (person: Person): Promise<unknown> => {
      const started = await vault.send('POST /v1/sessions', signInBody(person));
      return (started.body['account'] as { record: { salt: string } }).record.salt;
    };
    const madeUpSalt = async (): Promise<string> => {
      const asked: Answer = await vault.send('POST /v1/sign-in/parameters', { body: { email: 'nobody@example.org' } });
      return (asked.body as SignInParameters).keyDerivation.salt;
    };

    it('misses nobody and takes no address twice in any state, and made-up salts stay as they are', async () => {
      const rotations = vault.indexRotations;
      const seen: IndexState[] = [];
      const madeUp = await madeUpSalt();
      const look = async (): Promise<void> => {
        seen.push((await rotations.status(...index)).state);
        await joins();
        await expectWhole();
        expect(await madeUpSalt()).toBe(madeUp);
      };
      await look();
      await rotations.begin(...index);
      await look();
      await rotations.work(...index);
      await look();
      await rotations.switch(...index);
      await look();
      expect(await rotations.work(...index)).toMatchObject({ state: 'settled', outcome: 'complete', liveVersion: 2 });
      await look();
      expect(seen).toEqual(['settled', 'filling', 'filled', 'emptying', 'settled']);
      expect(await columns()).toEqual([0, known.length]);
    });

    it('goes on with a job while people come, change their address and go', async () => {
      const rotations = vault.indexRotations;
      await rotations.begin(...index);
      const running = rotations.run();
      await joins();
      const moving = known[1]!;
      const changed = { ...moving, email: 'elsewhere@example.org' };
      const headers = bearer((await vault.proved(moving)).token);
      expect(await vault.send('PUT /v1/account/email', { body: { email: changed.email }, headers })).toMatchObject({
        status: 200,
      });
      known[1] = changed;
      await running;
      expect(await columns()).toEqual([0, known.length]);
      expect(await vault.send('POST /v1/sessions', signInBody(changed))).toMatchObject({ status: 201 });
      expect(await vault.send('POST /v1/sessions', signInBody(changed, moving.email))).toMatchObject({ status: 401 });
      await expectWhole();
    });

    it('leaves no index of the erased, in neither column', async () => {
      const rotations = vault.indexRotations;
      await vault.services.encryption.keyTree.shred(database, [known[1]!.account]);
      await rotations.begin(...index);
      await rotations.run();
      expect(await columns()).toEqual([0, 1]);
      expect(await vault.send('POST /v1/sessions', signInBody(known[1]!))).toMatchObject({ status: 401 });
      expect(await vault.send('POST /v1/sessions', signInBody(anna))).toMatchObject({ status: 201 });
    });
  });
}
