/** Permissions as if all rooms had declared them, and people with roles, on a real database. */
import { newUuid, type AccountActor, type Uuid } from '@strongroom/kernel';
import { inInstallation, inTenant, type Database } from '@strongroom/storage';
import { manifest } from './manifest.ts';
import { memberships } from './memberships.ts';
import { permissionTable, type DeclaringManifest } from './permission-table.ts';
import type { Role } from './roles.ts';
import { assignSpaceRole } from './space-roles.ts';

export const declared: readonly DeclaringManifest[] = [
  manifest,
  {
    permissions: Object.fromEntries(
      Object.keys(permissionTable)
        .filter((name) => !Object.hasOwn(manifest.permissions!, name))
        .map((name) => [name, 'Of another room.']),
    ),
  },
];

export const newTenant = (database: Database): Promise<Uuid> =>
  database.transaction(inInstallation, (transaction) => memberships.createTenant(transaction));

/** A new account with this role in the tenant. */
export async function newMember(database: Database, tenant: Uuid, role: Role): Promise<AccountActor> {
  const account = newUuid();
  await database.transaction(inInstallation, (transaction) => memberships.add(transaction, { tenant, account, role }));
  return { kind: 'account', account, tenant, session: newUuid() };
}

export const giveSpaceRole = (database: Database, actor: AccountActor, space: Uuid, role: Role): Promise<void> =>
  database.transaction(inTenant(actor.tenant), (transaction) =>
    assignSpaceRole(transaction, { tenant: actor.tenant, space, account: actor.account, role }),
  );
