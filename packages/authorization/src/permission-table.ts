/**
 * The one table of which role holds which permission. A permission belongs to exactly one kind of scope:
 * - `self`: held by every signed-in account about itself; no role is asked for, and no role gives it about another;
 * - `tenant`: comes from the role in the session's tenant only;
 * - `space`: comes from the role in that space only, so that a tenant's owner does not read a space they were not given.
 *
 * There are no wildcards and no inheritance: each cell is written out, and what is not written is denied.
 */
import type { Route } from '@strongroom/pipeline';
import { AuthorizationError } from './errors.ts';
import { ranksAtLeast, type Role } from './roles.ts';

export type Grant =
  | { readonly scope: 'self' }
  | { readonly scope: 'tenant' | 'space'; readonly roles: readonly [Role, ...Role[]] };

export const permissionTable = {
  'account.read': { scope: 'self' },
  'account.manage': { scope: 'self' },
  'session.manage': { scope: 'self' },

  'invitation.create': { scope: 'tenant', roles: ['owner', 'admin'] },
  'member.read': { scope: 'tenant', roles: ['owner', 'admin', 'member', 'viewer'] },
  'member.manage': { scope: 'tenant', roles: ['owner', 'admin'] },
  'audit.read': { scope: 'tenant', roles: ['owner', 'admin'] },
  'space.create': { scope: 'tenant', roles: ['owner', 'admin', 'member'] },
  // Lists only the spaces in which the caller has a role, so even a guest may ask.
  'space.list': { scope: 'tenant', roles: ['owner', 'admin', 'member', 'viewer', 'guest'] },

  'space.read': { scope: 'space', roles: ['owner', 'admin', 'member', 'viewer', 'guest'] },
  'space.share': { scope: 'space', roles: ['owner', 'admin'] },
  'memory.read': { scope: 'space', roles: ['owner', 'admin', 'member', 'viewer', 'guest'] },
  'memory.write': { scope: 'space', roles: ['owner', 'admin', 'member'] },
  'memory.delete': { scope: 'space', roles: ['owner', 'admin', 'member'] },
} as const satisfies Readonly<Record<string, Grant>>;

/** Every permission that some role, or every account about itself, can hold. */
export type Permission = keyof typeof permissionTable;

/** The table by name, for names that are not known to be permissions. A `Map`, so that `constructor` is no permission. */
const grants: ReadonlyMap<string, Grant> = new Map(Object.entries(permissionTable));

export const grantOf = (permission: string): Grant | undefined => grants.get(permission);

/** Whether somebody with the role `holder` may bring others into the tenant as `role`: who invites nobody at all does not, however low the role. */
export function mayInvite(holder: Role, role: Role): boolean {
  const inviters: readonly Role[] = permissionTable['invitation.create'].roles;
  return inviters.includes(holder) && ranksAtLeast(holder, role);
}

/** What the check reads of a room. */
export interface DeclaringManifest {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly routes?: readonly Pick<Route<never>, 'method' | 'path' | 'access'>[];
}

/**
 * Compares the table with the manifests, at boot. Throws `authorization.permissions-differ` and names what is wrong: a declared
 * permission that the table does not assign could never be held; one that only the table knows is a typo or a leftover; a
 * route that asks for a permission in another scope than its own would be closed to everyone or, for `self`, open to all.
 */
export function checkPermissions(manifests: readonly DeclaringManifest[]): void {
  const declared = new Set(manifests.flatMap(({ permissions = {} }) => Object.keys(permissions)));
  const problems = [
    ...[...declared].filter((name) => !grants.has(name)).map((name) => `${name} is declared but assigned to no role.`),
    ...[...grants.keys()]
      .filter((name) => !declared.has(name))
      .map((name) => `${name} is assigned but declared nowhere.`),
    ...manifests.flatMap(({ routes = [] }) => routes.flatMap(misplaced)),
  ];
  if (problems.length > 0) {
    throw new AuthorizationError('authorization.permissions-differ', { detail: problems.join(' ') });
  }
}

function misplaced({ method, path, access }: Pick<Route<never>, 'method' | 'path' | 'access'>): string[] {
  if (access.kind === 'public' || access.kind === 'operator') return [];
  const grant = grants.get(access.permission);
  if (grant === undefined) return [`${method} ${path} asks for ${access.permission}, which is assigned to no role.`];
  if (grant.scope === access.kind) return [];
  return [`${method} ${path} asks for ${access.permission} in scope ${access.kind}, but its scope is ${grant.scope}.`];
}
