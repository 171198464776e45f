import { inTenant, type Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { signUpBody } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from './services.ts';
import { bearer, manifests, type Person, Vault } from './vault.test-support.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`invitations on ${engine.name}`, () => {
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

    const invite = async (person: Person, role: string) =>
      vault.send('POST /v1/invitations', { body: { role }, headers: bearer((await vault.proved(person)).token) });

    it.each([
      ['owner', ['owner', 'admin', 'member', 'viewer', 'guest'], []],
      ['admin', ['admin', 'member', 'viewer', 'guest'], ['owner']],
    ] as const)('lets an %s invite up to the own role', async (role, allowed, refused) => {
      const person = role === 'owner' ? anna : await vault.member(anna, role, 'ben@example.org');
      const proved = await vault.proved(person);
      const attempt = (wanted: Role) =>
        vault.send('POST /v1/invitations', { body: { role: wanted }, headers: bearer(proved.token) });
      for (const wanted of allowed) expect(await attempt(wanted), wanted).toMatchObject({ status: 201 });
      for (const wanted of refused) {
        expect(await attempt(wanted), wanted).toMatchObject({
          status: 403,
          body: { code: 'authentication.role-too-high' },
        });
      }
    });

    it.each(['member', 'viewer', 'guest'] as const)('lets no %s invite anybody', async (role) => {
      const person = await vault.member(anna, role, 'ben@example.org');
      expect(await invite(person, 'guest')).toMatchObject({ status: 403, body: { code: 'pipeline.forbidden' } });
    });

    it('refuses a role that does not exist', async () => {
      expect(await invite(anna, 'root')).toMatchObject({ status: 400 });
    });

    it.each(['admin', 'guest'] as const)('as %s is worthless while its maker may not give the role', async (wanted) => {
      const ben = await vault.member(anna, 'admin', 'ben@example.org');
      const token = await vault.invitation(await vault.proved(ben), wanted);
      const tenant = vault.events.at(-1)!.tenant!;
      const setRole = (role: Role) =>
        vault.database.transaction(inTenant(tenant), (transaction) =>
          sql`update role_assignments set role = ${role} where account_id = ${ben.account} and space_id is null`.execute(
            transaction,
          ),
        );
      await setRole('member');
      const body = signUpBody(token, 'carla@example.org');
      expect(await vault.send('POST /v1/accounts', { body })).toMatchObject({
        status: 403,
        body: { code: 'authentication.invalid-invitation' },
      });
      await setRole('admin');
      expect(await vault.send('POST /v1/accounts', { body })).toMatchObject({
        status: 201,
        body: { account: { role: wanted } },
      });
    });

    it('brings the invited into the same tenant, where members see each other', async () => {
      const ben = await vault.member(anna, 'viewer', 'ben@example.org');
      const members = await vault.send('GET /v1/members', { headers: bearer(ben.token) });
      expect(members.body).toEqual({
        items: [
          { account: anna.account, displayName: 'Display anna', role: 'owner', publicKey: anna.publicKey },
          { account: ben.account, displayName: 'Display ben', role: 'viewer', publicKey: ben.publicKey },
        ],
        next: null,
      });
    });

    it('shows a guest no members', async () => {
      const guest = await vault.member(anna, 'guest', 'carla@example.org');
      expect(await vault.send('GET /v1/members', { headers: bearer(guest.token) })).toMatchObject({ status: 403 });
    });

    it('records who was invited to what, without the token', async () => {
      await vault.member(anna, 'viewer', 'ben@example.org');
      const types = vault.events.map(({ type, outcome }) => `${type} ${outcome}`);
      expect(types).toEqual([
        'account.created success',
        'session.reauthenticated success',
        'invitation.created success',
        'account.created success',
      ]);
      expect(vault.events[2]).toMatchObject({
        details: { role: 'viewer' },
        context: { actor: { kind: 'account', account: anna.account } },
      });
    });
  });
}
