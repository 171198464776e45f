import { anonymous, newUuid, type Actor, type Uuid } from '@strongroom/kernel';
import type { AccessQuestion } from '@strongroom/pipeline';
import { asSystem, inTenant, type Database } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import type { KyselyPlugin } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { authorizer } from './authorizer.ts';
import { declared, giveSpaceRole, newMember, newTenant } from './house.test-support.ts';
import { manifest } from './manifest.ts';
import { permissionTable, type Permission } from './permission-table.ts';
import { roles, type Role } from './roles.ts';
import { removeSpaceRole } from './space-roles.ts';

const decisions = authorizer(declared);

/** Written out a second time on purpose: a slip in the table shows here. */
const expected: Record<Permission, 'self' | { readonly in: 'tenant' | 'space'; readonly roles: string }> = {
  'account.read': 'self',
  'account.manage': 'self',
  'session.manage': 'self',
  'invitation.create': { in: 'tenant', roles: 'owner admin' },
  'member.read': { in: 'tenant', roles: 'owner admin member viewer' },
  'member.manage': { in: 'tenant', roles: 'owner admin' },
  'audit.read': { in: 'tenant', roles: 'owner admin' },
  'space.create': { in: 'tenant', roles: 'owner admin member' },
  'space.list': { in: 'tenant', roles: 'owner admin member viewer guest' },
  'space.read': { in: 'space', roles: 'owner admin member viewer guest' },
  'space.share': { in: 'space', roles: 'owner admin' },
  'memory.read': { in: 'space', roles: 'owner admin member viewer guest' },
  'memory.write': { in: 'space', roles: 'owner admin member' },
  'memory.delete': { in: 'space', roles: 'owner admin member' },
};

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`authorizer on ${engine.name}`, () => {
    let database: Database;
    let tenant: Uuid;
    beforeAll(async () => {
      database = await engine.open([manifest]);
      tenant = await newTenant(database);
    });

    const ask = (actor: Actor, permission: string, scope: AccessQuestion['scope'], as: Uuid = tenant) =>
      database.transaction(inTenant(as), (transaction) => decisions.allows(transaction, { actor, permission, scope }));
    const inIt = { kind: 'tenant' } as const;
    const inSpace = (space: Uuid) => ({ kind: 'space', space }) as const;

    it('answers the whole matrix of roles, permissions and scopes as written', async () => {
      let allowed = 0;
      let asked = 0;
      for (const role of roles) {
        const space = newUuid();
        const withTenantRole = await newMember(database, tenant, role);
        const withSpaceRole = await newMember(database, tenant, 'guest');
        await giveSpaceRole(database, withSpaceRole, space, role);
        for (const permission of Object.keys(permissionTable) as Permission[]) {
          const rule = expected[permission];
          const holds = rule === 'self' || rule.roles.split(' ').includes(role);
          const label = `${role} ${permission}`;
          const tenantAnswer = await ask(withTenantRole, permission, inIt);
          const spaceAnswer = await ask(withSpaceRole, permission, inSpace(space));
          expect(tenantAnswer, label).toBe(rule === 'self' || (rule.in === 'tenant' && holds));
          expect(spaceAnswer, label).toBe(rule !== 'self' && rule.in === 'space' && holds);
          // A role in the tenant, even its owner's, opens no space.
          expect(await ask(withTenantRole, permission, inSpace(space)), label).toBe(false);
          allowed += Number(tenantAnswer) + Number(spaceAnswer);
          asked += 3;
        }
      }
      expect(allowed).toBe(18 + 18 + 15);
      figure(`roles and permissions on ${engine.name}: ${asked} questions, ${allowed} allowed, as the table says`);
    });

    it('denies what nobody wrote down', async () => {
      const owner = await newMember(database, tenant, 'owner');
      const space = newUuid();
      await giveSpaceRole(database, owner, space, 'owner');
      for (const permission of [
        '',
        '*',
        'memory.*',
        'memory',
        'Memory.Read',
        'memory.read ',
        'constructor',
        'toString',
      ]) {
        expect(await ask(owner, permission, inIt), permission).toBe(false);
        expect(await ask(owner, permission, inSpace(space)), permission).toBe(false);
      }
      expect(await ask(owner, 'memory.read', inSpace(space))).toBe(true);
    });

    it('denies every actor that is no account', async () => {
      const actors: Actor[] = [
        anonymous,
        { kind: 'operator', via: 'administrator-socket' },
        { kind: 'system', job: 'authentication.purge-sessions' },
      ];
      for (const actor of actors) {
        for (const permission of Object.keys(permissionTable)) {
          expect(await ask(actor, permission, inIt)).toBe(false);
          expect(await ask(actor, permission, inSpace(newUuid()))).toBe(false);
        }
      }
    });

    it('denies the same account under another tenant and in another space', async () => {
      const other = await newTenant(database);
      const owner = await newMember(database, tenant, 'owner');
      const space = newUuid();
      await giveSpaceRole(database, owner, space, 'owner');
      const elsewhere = { ...owner, tenant: other };
      expect(await ask(owner, 'audit.read', inIt)).toBe(true);
      expect(await ask(elsewhere, 'audit.read', inIt, other)).toBe(false);
      expect(await ask(elsewhere, 'memory.read', inSpace(space), other)).toBe(false);
      expect(await ask(owner, 'memory.read', inSpace(newUuid()))).toBe(false);
      // Also where row-level security hides nothing.
      const [inOther, inOwn] = await database.transaction(asSystem, async (transaction) => [
        await decisions.allows(transaction, { actor: elsewhere, permission: 'audit.read', scope: inIt }),
        await decisions.allows(transaction, { actor: owner, permission: 'audit.read', scope: inIt }),
      ]);
      expect([inOther, inOwn]).toEqual([false, true]);
    });

    it('notices at once that a role was taken away', async () => {
      const space = newUuid();
      await giveSpaceRole(database, await newMember(database, tenant, 'member'), space, 'owner');
      const reader = await newMember(database, tenant, 'member');
      await giveSpaceRole(database, reader, space, 'viewer');
      const { account } = reader;
      const answers = await database.transaction(inTenant(tenant), async (transaction) => {
        const question = { actor: reader, permission: 'memory.read', scope: inSpace(space) } as const;
        const before = await decisions.allows(transaction, question);
        await removeSpaceRole(transaction, { tenant, space, account });
        return [before, await decisions.allows(transaction, question)];
      });
      expect(answers).toEqual([true, false]);
    });

    it('asks the database once', async () => {
      const member = await newMember(database, tenant, 'member');
      let statements = 0;
      const counter: KyselyPlugin = {
        transformQuery: ({ node }) => {
          statements += 1;
          return node;
        },
        transformResult: ({ result }) => Promise.resolve(result),
      };
      await database.transaction(inTenant(tenant), async (transaction) => {
        const counted = transaction.withPlugin(counter);
        await decisions.allows(counted, { actor: member, permission: 'space.create', scope: inIt });
        await decisions.allows(counted, { actor: member, permission: 'memory.read', scope: inSpace(newUuid()) });
      });
      expect(statements).toBe(2);
    });
  });
}

describe('at boot', () => {
  it('refuses manifests that differ from the table', () => {
    expect(() => authorizer([])).toThrow(expect.objectContaining({ code: 'authorization.permissions-differ' }));
    expect(() => authorizer(declared)).not.toThrow();
  });

  it('knows five roles', () => {
    expect(roles satisfies readonly Role[]).toHaveLength(5);
  });
});
