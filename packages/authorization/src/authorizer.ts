import type { Uuid } from '@strongroom/kernel';
import type { AuthorizerPort } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { heldRole } from './internal/held-role.ts';
import { checkPermissions, grantOf, type DeclaringManifest } from './permission-table.ts';

/**
 * The decision point. Throws `authorization.permissions-differ` unless the permissions that the manifests declare, and the
 * way their routes ask for them, are exactly those of the table: a service with a typo in a permission does not start.
 *
 * A check is one lookup by a unique index in the request's own transaction. Nothing is cached: a role that was taken
 * away a moment ago no longer counts. Only accounts hold permissions; every other actor, an unknown permission, and a
 * permission asked for in another kind of scope than its own are denied.
 */
export function authorizer(manifests: readonly DeclaringManifest[]): AuthorizerPort {
  checkPermissions(manifests);
  return {
    async allows(transaction, { actor, permission, scope }) {
      const grant = grantOf(permission);
      if (actor.kind !== 'account' || grant === undefined) return false;
      // The route promises to be about the caller only; being signed in is all it takes.
      if (grant.scope === 'self') return scope.kind === 'tenant';
      if (grant.scope !== scope.kind) return false;
      const { tenant, account } = actor;
      if (scope.kind === 'space') return holdsInSpace(transaction, { tenant, account, space: scope.space }, permission);
      const role = await heldRole(transaction, { tenant, account, space: null });
      return role !== undefined && grant.roles.includes(role);
    },
  };
}

/**
 * Whether the account's role in the space holds the permission now. The authorizer asks before the handler; whoever changes something in a space asks
 * again under its lock, since in between the role may have been taken away.
 */
export async function holdsInSpace(
  transaction: Transaction,
  member: { readonly tenant: Uuid; readonly account: Uuid; readonly space: Uuid },
  permission: string,
): Promise<boolean> {
  const grant = grantOf(permission);
  if (grant === undefined || grant.scope !== 'space') return false;
  const role = await heldRole(transaction, member);
  return role !== undefined && grant.roles.includes(role);
}
