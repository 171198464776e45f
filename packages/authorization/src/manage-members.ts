/** Other people's roles in the tenant, and removing them from it. */
import type { Uuid } from '@strongroom/kernel';
import {
  audited,
  defineRoutes,
  inCurrentTenant,
  type Call,
  type LimitPolicy,
  type RouteInput,
} from '@strongroom/pipeline';
import { AuthorizationError } from './errors.ts';
import { mayInvite } from './permission-table.ts';
import { ranksAtLeast, roles, type Role } from './roles.ts';
import type { AuthorizationServices } from './services.ts';
import { changeTenantRole, leaveTenant, lockTenant, standingIn } from './tenant-roles.ts';
import { memberPath, removal, removalQuery, roleChange } from './wire.ts';

const defineRoute = defineRoutes<AuthorizationServices>();

const manageLimit: LimitPolicy = {
  name: 'authorization.manage-members',
  by: 'account',
  burst: 50,
  rate: 100,
  periodSeconds: 3600,
  store: 'process',
};

/** Nobody changes people who rank above them, nor gives a role above their own; until the change commits, no role changes behind its back. */
async function rankCheck(
  call: Pick<Call<RouteInput, AuthorizationServices>, 'account' | 'transaction'>,
  account: Uuid,
  role?: Role,
): Promise<Role> {
  const actor = call.account();
  await lockTenant(call.transaction, actor.tenant);
  const own = await standingIn(call.transaction, actor);
  const theirs = await standingIn(call.transaction, { tenant: actor.tenant, account });
  if (own === undefined || theirs === undefined) throw new AuthorizationError('authorization.not-a-member');
  if (!ranksAtLeast(own.role, theirs.role) || (role !== undefined && !ranksAtLeast(own.role, role))) {
    throw new AuthorizationError('authorization.role-too-high');
  }
  return theirs.role;
}

export const changeRoleRoute = defineRoute({
  method: 'PUT',
  path: '/v1/members/{account}',
  summary:
    'Give a member of your tenant another role, up to your own. Roles in spaces stay as they are; open invitations that the new role could not make are withdrawn',
  input: { path: memberPath, body: roleChange },
  output: roleChange,
  access: inCurrentTenant('member.manage'),
  assurance: 'reauthenticated',
  limit: [manageLimit],
  audit: audited('member.role-changed'),
  async handler(call) {
    const { account } = call.path;
    const { role } = call.body;
    call.record({ object: { type: 'account', id: account }, subjects: [account], details: { role } });
    const before = await rankCheck(call, account, role);
    const { services, transaction } = call;
    const member = { tenant: call.account().tenant, account };
    await changeTenantRole(transaction, { ...member, role });
    // After the role, as with removal. Otherwise they would lie there useless, and wait for the role to come back.
    const beyond = { roles: roles.filter((one) => !mayInvite(role, one)), now: services.clock.now() };
    const invitations = await services.sessionEndings.withdrawInvitationsIn(transaction, member, beyond);
    call.record({ details: { before, invitations } });
    return { body: { role } };
  },
});

/** Roles, keys, sessions and open invitations go in one transaction: a moment later nothing of the tenant can be reached any more. */
export const removeMemberRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/members/{account}',
  summary:
    'Remove somebody from your tenant, from all its spaces too, end their sessions and withdraw their invitations',
  input: { path: memberPath, query: removalQuery },
  output: removal,
  access: inCurrentTenant('member.manage'),
  assurance: 'reauthenticated',
  limit: [manageLimit],
  audit: audited('member.removed'),
  async handler(call) {
    const { services, transaction } = call;
    const { account } = call.path;
    const member = { tenant: call.account().tenant, account };
    call.record({ object: { type: 'account', id: account }, subjects: [account] });
    const before = await rankCheck(call, account);
    const planned = await services.departures.plan(transaction, member);
    const ending = planned.filter(({ outcome }) => outcome === 'delete').length;
    if (ending !== (call.query.endingSpaces ?? 0)) {
      throw new AuthorizationError('authorization.spaces-would-end', { members: { endingSpaces: ending } });
    }
    const left = await services.departures.remove(transaction, member);
    await leaveTenant(transaction, member);
    await services.sessionEndings.endIn(transaction, member);
    // After the role: an invitation that was being made has either seen it go or is seen here.
    const made = { roles, now: services.clock.now() };
    const invitations = await services.sessionEndings.withdrawInvitationsIn(transaction, member, made);
    const endedSpaces = left.filter(({ outcome }) => outcome === 'delete').length;
    const inheritedSpaces = left.filter(({ outcome }) => outcome === 'hand-over').length;
    call.record({ details: { before, spaces: left.length, endedSpaces, inheritedSpaces, invitations } });
    return { body: { account, endedSpaces, inheritedSpaces } };
  },
});
