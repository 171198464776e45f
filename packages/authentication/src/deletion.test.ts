import { leafHash } from '@strongroom/audit-log/verify';
import { fromBase64Url, newUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';
import { bearer, manifests, type Person, rememberIn, shareWith, spaceOf, Vault } from './vault.test-support.ts';
import type { Deleted, DeletionPlan } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`deleting an account on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    let anna: Person;
    let ben: Person;
    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
      anna = await vault.founder('anna@example.org');
      ben = await vault.member(anna, 'member', 'ben@example.org');
    });

    const plan = async (person: Person): Promise<DeletionPlan> =>
      (await vault.send('GET /v1/account/deletion-plan', { headers: bearer(person.token) })).body as DeletionPlan;
    const remove = async (person: Person, body: object = {}) =>
      vault.send('POST /v1/account/deletion', {
        body: { confirmation: person.email, ...body },
        headers: bearer((await vault.proved(person)).token),
      });
    const rows = async <Row>(query: ReturnType<typeof sql<Row>>): Promise<Row[]> =>
      (await database.transaction(asSystem, (transaction) => query.execute(transaction))).rows;
    const spaces = async (): Promise<Uuid[]> =>
      (await rows(sql<{ id: Uuid }>`select id from spaces`)).map(({ id }) => id);
    const roleIn = async (space: Uuid, person: Person): Promise<string | undefined> =>
      (
        await rows(
          sql<{
            role: string;
          }>`select role from role_assignments where space_id = ${space} and account_id = ${person.account}`,
        )
      )[0]?.role;

    it('says before what it will do, does exactly that, and leaves no trace of the account in any table', async () => {
      const own = await spaceOf(vault, ben, 2);
      const shared = await spaceOf(vault, anna, 1);
      await shareWith(vault, anna, shared, ben, 'member');
      await rememberIn(vault, ben, shared);
      expect(await plan(ben)).toEqual({
        sessions: 1,
        invitations: 0,
        spaces: [
          { space: own, role: 'owner', memories: 2, authored: 2, otherMembers: 0, outcome: 'delete' },
          { space: shared, role: 'member', memories: 2, authored: 1, otherMembers: 1, outcome: 'leave' },
        ].toSorted((left, right) => (left.space < right.space ? -1 : 1)),
        tenantEnds: false,
        lastOwner: false,
        remains: ['audit-pseudonym', 'copies-of-others', 'backups', 'root-copies'],
      });
      const answer = await remove(ben);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          account: ben.account,
          destroyed: {
            sessions: 1,
            invitations: 0,
            spaces: 1,
            spacesLeft: 1,
            memories: 3,
            tenant: false,
            keys: 'queued',
          },
        },
      });
      expect(await spaces()).toEqual([shared]);
      expect((await vault.send('GET /v1/account', { headers: bearer(ben.token) })).status).toBe(401);
      // What Anna wrote is there, what Ben wrote is a tombstone, and the key is due for a change.
      const feed = await vault.send('GET /v1/spaces/{space}/changes', {
        path: { space: shared },
        headers: bearer(anna.token),
      });
      expect((feed.body['items'] as { deleted: boolean }[]).map(({ deleted }) => deleted)).toEqual([false, true]);
      const space = await vault.send('GET /v1/spaces/{space}', {
        path: { space: shared },
        headers: bearer(anna.token),
      });
      expect(space.body).toMatchObject({ rotationDue: true });

      const job = manifest.jobs.find(({ name }) => name === 'authentication.erase-deleted')!;
      await job.run(vault.services);
      const tables = await rows(
        sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`,
      );
      const found: string[] = [];
      for (const { name } of tables) {
        const [{ count }] = (await rows(
          sql<{
            count: number;
          }>`select count(*)::integer as count from ${sql.table(name)} as t where t::text like ${`%${ben.account}%`}`,
        )) as [{ count: number }];
        if (count > 0) found.push(name);
      }
      // Who was behind the pseudonym is the audit log's to forget.
      expect(found.filter((name) => !['audit_pseudonyms', 'audit_opening_keys'].includes(name))).toEqual([]);
    });

    it('destroys the key of the person, so that a kept row no longer opens', async () => {
      const [kept] = await rows(sql<{ email: Uint8Array }>`select email from accounts where id = ${ben.account}`);
      await remove(ben);
      const before = await database.transaction(asSystem, (transaction) =>
        vault.services.encryption.subjects(transaction, [ben.account]),
      );
      expect(before.has(ben.account)).toBe(true);
      for (const job of manifest.jobs) await job.run(vault.services);
      const after = await database.transaction(asSystem, (transaction) =>
        vault.services.encryption.subjects(transaction, [ben.account, anna.account]),
      );
      expect([after.has(ben.account), after.has(anna.account)]).toEqual([false, true]);
      const place = { tenant: null, table: 'accounts', column: 'email', row: ben.account, subject: ben.account };
      expect(before.openText(place, kept!.email)).toBe('ben@example.org');
      expect(() => after.openText(place, kept!.email)).toThrow(
        expect.objectContaining({ code: 'encryption.subject-erased' }),
      );
      expect(await rows(sql`select 1 from deleted_accounts`)).toEqual([]);
    });

    it('gives a certificate that holds the very entry of the audit log', async () => {
      const certificate = (await remove(ben)).body as Deleted;
      const entry = fromBase64Url(certificate.entry);
      expect(toBase64Url(leafHash(entry))).toBe(certificate.leafHash);
      const [event] = await rows(
        sql<{
          type: string;
          details: string;
        }>`select event::jsonb->>2 as type, event::jsonb->>15 as details from audit_inbox where event::jsonb->>0 = ${certificate.eventId}`,
      );
      expect(event).toMatchObject({ type: 'account.deleted' });
      const { keys: _keys, ...destroyed } = certificate.destroyed;
      expect(JSON.parse(event!.details)).toEqual(destroyed);
      expect(vault.events.at(-1)).toMatchObject({ type: 'account.deleted', outcome: 'success' });
    });

    it.each([
      ['another address', { confirmation: 'anna@example.org' }, 400, 'authentication.wrong-confirmation'],
      ['no address', { confirmation: 'delete' }, 400, 'authentication.invalid-email'],
      ['a space that is not to be decided about', { deleteSpaces: [newUuid()] }, 404, 'memories.space-not-found'],
    ])('is refused with %s, and nothing happened', async (_what, body, status, code) => {
      await spaceOf(vault, ben);
      expect(await remove(ben, body)).toMatchObject({ status, body: { code } });
      expect(await plan(ben)).toMatchObject({ spaces: [{ outcome: 'delete' }] });
    });

    it('takes the address in any spelling', async () => {
      expect((await remove(ben, { confirmation: ' BEN@example.org' })).status).toBe(200);
    });

    it('asks for a recent proof', async () => {
      const answer = await vault.send('POST /v1/account/deletion', {
        body: { confirmation: ben.email },
        headers: bearer(ben.token),
      });
      expect(answer.body['code']).toBe('pipeline.reauthentication-required');
    });

    describe('with a space that others are in and nobody else owns', () => {
      let space: Uuid;
      beforeEach(async () => {
        space = await spaceOf(vault, ben, 1);
        await shareWith(vault, ben, space, anna, 'viewer');
      });

      it('is refused, and the plan says why', async () => {
        expect((await plan(ben)).spaces).toMatchObject([{ space, outcome: 'hand-over', otherMembers: 1 }]);
        expect(await remove(ben)).toMatchObject({
          status: 409,
          body: { code: 'memories.owner-needed', spaces: [space] },
        });
        expect(await roleIn(space, ben)).toBe('owner');
      });

      it('goes through once somebody else owns it', async () => {
        const path = { space, account: anna.account };
        const body = { role: 'owner', keys: [] };
        await vault.send('PUT /v1/spaces/{space}/members/{account}', { path, body, headers: bearer(ben.token) });
        expect(await remove(ben)).toMatchObject({ status: 200 });
        expect(await roleIn(space, anna)).toBe('owner');
      });

      it('goes through when it is to be deleted for everybody', async () => {
        expect(await remove(ben, { deleteSpaces: [space] })).toMatchObject({
          status: 200,
          body: { destroyed: { spaces: 1, memories: 1 } },
        });
        expect(await spaces()).toEqual([]);
        expect(await roleIn(space, anna)).toBeUndefined();
      });
    });

    it('is refused to the last owner of a tenant with others in it, and done twice at once only once', async () => {
      expect((await plan(anna)).lastOwner).toBe(true);
      expect(await remove(anna)).toMatchObject({ status: 409, body: { code: 'authorization.last-owner' } });
      await vault.proved(ben);
      const body = { confirmation: ben.email };
      const both = await Promise.all(
        [0, 1].map(() => vault.send('POST /v1/account/deletion', { body, headers: bearer(ben.token) })),
      );
      expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
      // Alone now, Anna takes the tenant along.
      expect((await plan(anna)).tenantEnds).toBe(true);
      expect(await remove(anna)).toMatchObject({ status: 200, body: { destroyed: { tenant: true } } });
      expect(await rows(sql`select 1 from tenants`)).toEqual([]);
      expect(await rows(sql`select 1 from role_assignments`)).toEqual([]);
      // And the installation is as new: whoever is given the next set-up link founds it again.
      await vault.founder('carla@example.org');
    });

    it('takes open invitations along', async () => {
      const admin = await vault.member(anna, 'admin', 'carla@example.org');
      const token = await vault.invitation(await vault.proved(admin), 'member');
      expect((await plan(admin)).invitations).toBe(1);
      expect(await remove(admin)).toMatchObject({ body: { destroyed: { invitations: 1 } } });
      await expect(vault.join(token, 'dan@example.org')).rejects.toThrow('authentication.invalid-invitation');
    });
  });
}
