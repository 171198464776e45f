import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation, inTenant, type Database, type Scope, type Transaction } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { giveSpaceRole, newMember, newTenant } from './house.test-support.ts';
import { manifest } from './manifest.ts';
import { memberships } from './memberships.ts';
import { ranksAtLeast, roles, type Role } from './roles.ts';
import { removeSpaceRole, spaceRolesOf } from './space-roles.ts';
import { changeTenantRole } from './tenant-roles.ts';

const failsWith = (code: string) => expect.objectContaining({ code });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`memberships on ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([manifest]);
    });

    const membershipsOf = (account: Uuid, scope: Scope = inInstallation) =>
      database.transaction(scope, (transaction) => memberships.membershipsOf(transaction, account));

    it('keeps one role per tenant, the longest-standing tenant first', async () => {
      const [first, second] = [await newTenant(database), await newTenant(database)];
      const { account } = await newMember(database, first, 'viewer');
      const add = (tenant: Uuid, role: Role) =>
        database.transaction(inInstallation, (transaction) => memberships.add(transaction, { tenant, account, role }));
      await add(second, 'owner');
      await expect(add(first, 'owner')).rejects.toThrow(failsWith('authorization.already-member'));
      expect(await membershipsOf(account)).toEqual([
        { tenant: first, role: 'viewer' },
        { tenant: second, role: 'owner' },
      ]);
      expect(await membershipsOf(newUuid())).toEqual([]);
    });

    it('refuses a membership of a tenant that does not exist', async () => {
      await expect(newMember(database, newUuid(), 'owner')).rejects.toThrow();
    });

    it('lets those who may invite do so up to their own role, and nobody else', async () => {
      const tenant = await newTenant(database);
      for (const held of roles) {
        const { account: inviter } = await newMember(database, tenant, held);
        for (const role of roles) {
          const answer = await database.transaction(inTenant(tenant), (transaction) =>
            memberships.mayInvite(transaction, { tenant, inviter, role }),
          );
          const invites = held === 'owner' || held === 'admin';
          expect(answer, `${held} invites as ${role}`).toBe(invites && roles.indexOf(held) <= roles.indexOf(role));
        }
      }
      const stranger = await newMember(database, await newTenant(database), 'owner');
      const answer = await database.transaction(inInstallation, (transaction) =>
        memberships.mayInvite(transaction, { tenant, inviter: stranger.account, role: 'guest' }),
      );
      expect(answer).toBe(false);
      expect(ranksAtLeast('guest', 'guest')).toBe(true);
    });

    it('gives space roles to members of the tenant only, one per space', async () => {
      const tenant = await newTenant(database);
      const space = newUuid();
      const owner = await newMember(database, tenant, 'member');
      const member = await newMember(database, tenant, 'guest');
      await giveSpaceRole(database, owner, space, 'owner');
      await giveSpaceRole(database, member, space, 'viewer');
      await giveSpaceRole(database, member, space, 'admin');
      const other = newUuid();
      await giveSpaceRole(database, member, other, 'owner');
      const found = await database.transaction(inTenant(tenant), (transaction) => spaceRolesOf(transaction, member));
      expect(found.size).toBe(2);
      expect([found.get(space), found.get(other)]).toEqual(['admin', 'owner']);
      const stranger = await newMember(database, await newTenant(database), 'owner');
      await expect(giveSpaceRole(database, { ...stranger, tenant }, space, 'viewer')).rejects.toThrow(
        failsWith('authorization.not-a-member'),
      );
    });

    describe('the last owner of a space', () => {
      it('can neither leave nor take a lesser role; with a second owner both are possible', async () => {
        const tenant = await newTenant(database);
        const space = newUuid();
        const first = await newMember(database, tenant, 'member');
        const second = await newMember(database, tenant, 'member');
        const leave = ({ account }: { account: Uuid }) =>
          database.transaction(inTenant(tenant), (transaction) =>
            removeSpaceRole(transaction, { tenant, space, account }),
          );
        await giveSpaceRole(database, first, space, 'owner');
        await giveSpaceRole(database, second, space, 'admin');
        const lastOwner = failsWith('authorization.last-owner');
        await expect(leave(first)).rejects.toThrow(lastOwner);
        await expect(giveSpaceRole(database, first, space, 'viewer')).rejects.toThrow(lastOwner);
        // To remain owner is no change.
        await giveSpaceRole(database, first, space, 'owner');

        await giveSpaceRole(database, second, space, 'owner');
        await giveSpaceRole(database, first, space, 'viewer');
        await expect(leave(second)).rejects.toThrow(lastOwner);
        await leave(first);
        await expect(leave(first)).rejects.toThrow(failsWith('authorization.not-a-member'));
      });

      it('stays when two owners remove each other at the same moment', async () => {
        const tenant = await newTenant(database);
        for (let round = 0; round < 5; round += 1) {
          const space = newUuid();
          const owners = [await newMember(database, tenant, 'member'), await newMember(database, tenant, 'member')];
          for (const owner of owners) await giveSpaceRole(database, owner, space, 'owner');
          const results = await Promise.allSettled(
            owners.map(({ account }) =>
              database.transaction(inTenant(tenant), (transaction) =>
                removeSpaceRole(transaction, { tenant, space, account }),
              ),
            ),
          );
          expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
        }
      });
    });

    describe('the last owner of a tenant', () => {
      const inIt = <Result>(tenant: Uuid, work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
        database.transaction(inTenant(tenant), work);

      it('can neither take a lesser role nor leave while others are in it; alone, they take it along', async () => {
        const tenant = await newTenant(database);
        const { account } = await newMember(database, tenant, 'owner');
        const other = await newMember(database, tenant, 'member');
        const lastOwner = failsWith('authorization.last-owner');
        const demote = () =>
          inIt(tenant, (transaction) => changeTenantRole(transaction, { tenant, account, role: 'admin' }));
        const leave = (who: Uuid) =>
          inIt(tenant, (transaction) => memberships.leave(transaction, { tenant, account: who }));
        await expect(demote()).rejects.toThrow(lastOwner);
        await expect(leave(account)).rejects.toThrow(lastOwner);
        await leave(other.account);
        await expect(leave(other.account)).rejects.toThrow(failsWith('authorization.not-a-member'));
        const standing = () => inIt(tenant, (transaction) => memberships.standing(transaction, { tenant, account }));
        expect(await standing()).toEqual({ role: 'owner', alone: true, lastOwner: true });
        await leave(account);
        expect(await standing()).toBeUndefined();
        await expect(newMember(database, tenant, 'owner')).rejects.toThrow();
      });

      it.each([
        [
          'demote each other',
          (transaction: Transaction, tenant: Uuid, account: Uuid) =>
            changeTenantRole(transaction, { tenant, account, role: 'member' }),
        ],
        [
          'leave',
          (transaction: Transaction, tenant: Uuid, account: Uuid) =>
            memberships.leave(transaction, { tenant, account }),
        ],
      ])('stays when two owners %s at the same moment', async (_what, change) => {
        for (let round = 0; round < 8; round += 1) {
          const tenant = await newTenant(database);
          await newMember(database, tenant, 'guest');
          const owners = [await newMember(database, tenant, 'owner'), await newMember(database, tenant, 'owner')];
          const results = await Promise.allSettled(
            owners.map(({ account }) => inIt(tenant, (transaction) => change(transaction, tenant, account))),
          );
          expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        }
      });
    });

    // On PGlite a statement could leave the role that these policies are for; as long as none does, they hold there too.
    describe('row-level security', () => {
      it('shows the installation scope roles in tenants, never those in spaces', async () => {
        const tenant = await newTenant(database);
        const member = await newMember(database, tenant, 'owner');
        await giveSpaceRole(database, member, newUuid(), 'owner');
        const count = (scope: Scope) =>
          database.transaction(scope, async (transaction) => {
            const { rows } = await sql<{ count: number }>`
              select count(*) as count from role_assignments where account_id = ${member.account}
            `.execute(transaction);
            return rows[0]!.count;
          });
        expect(await count(inTenant(tenant))).toBe(2);
        expect(await count(inInstallation)).toBe(1);
        expect(await count(inTenant(await newTenant(database)))).toBe(0);
      });

      it('lets the installation scope add no role in a space, change none and remove none', async () => {
        const tenant = await newTenant(database);
        const member = await newMember(database, tenant, 'guest');
        const { account } = member;
        const add = (space: Uuid | null, newcomer: Uuid) =>
          database.transaction(inInstallation, (transaction) =>
            sql`insert into role_assignments (id, tenant_id, space_id, account_id, role)
              values (${newUuid()}::uuid, ${tenant}::uuid, ${space}::uuid, ${newcomer}::uuid, 'owner')`.execute(
              transaction,
            ),
          );
        await expect(add(newUuid(), account)).rejects.toThrow(failsWith('storage.query-failed'));
        await add(null, newUuid());
        const affected = await database.transaction(inInstallation, async (transaction) => {
          const updated =
            await sql`update role_assignments set role = 'owner' where account_id = ${account} returning id`.execute(
              transaction,
            );
          const removed = await sql`delete from role_assignments where account_id = ${account} returning id`.execute(
            transaction,
          );
          return [updated.rows.length, removed.rows.length];
        });
        expect(affected).toEqual([0, 0]);
        expect(await membershipsOf(account)).toEqual([{ tenant, role: 'guest' }]);
      });

      it('keeps one tenant from writing into another', async () => {
        const [own, other] = [await newTenant(database), await newTenant(database)];
        await expect(
          database.transaction(inTenant(own), (transaction) =>
            memberships.add(transaction, { tenant: other, account: newUuid(), role: 'owner' }),
          ),
        ).rejects.toThrow();
      });
    });
  });
}
