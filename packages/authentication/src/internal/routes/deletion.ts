import { toBase64Url } from '@strongroom/kernel';
import { audited, notAudited, ownAccount } from '@strongroom/pipeline';
import { parseEmail } from '../../email.ts';
import { AuthenticationError } from '../../errors.ts';
import { deletionByAccount, ordinary } from '../../limits.ts';
import { deleted, deletion, deletionPlan } from '../../wire.ts';
import { deleteAccount } from '../account-changes.ts';
import { clearCookie } from '../cookie.ts';
import { queueErasure } from '../erasure-queue.ts';
import { countInvitationsOf, withdrawInvitationsOf } from '../invitations.ts';
import { countSessions, endAllSessions } from '../session-endings.ts';
import { defineLifeRoute } from './define.ts';
import { changingOwnAccount, ownMembership, ownView } from './own-account.ts';

/**
 * What stays behind: the pseudonym in the audit log (who it was is forgotten with the keys), copies others made for themselves, and
 * backups until they are replaced, in which nothing of the account opens once its keys are destroyed; unless somebody has a copy of the root key from
 * before, such as a snapshot of its disk.
 */
const remains: string[] = ['audit-pseudonym', 'copies-of-others', 'backups', 'root-copies'];

export const deletionPlanRoute = defineLifeRoute({
  method: 'GET',
  path: '/v1/account/deletion-plan',
  summary: 'What deleting your account would destroy, what it would hand over or leave, and what would remain',
  input: {},
  output: deletionPlan,
  access: ownAccount('account.manage'),
  assurance: 'session',
  limit: [ordinary],
  audit: notAudited('Reads what concerns the caller only.'),
  async handler(call) {
    const { services, transaction } = call;
    const actor = call.account();
    await ownMembership(call);
    const standing = await services.memberships.standing(transaction, actor);
    return {
      body: {
        sessions: await countSessions(transaction, actor, services.clock.now()),
        invitations: await countInvitationsOf(transaction, actor.account, services.clock.now()),
        spaces: [...(await services.departures.plan(transaction, actor))],
        tenantEnds: standing?.alone === true,
        lastOwner: standing?.lastOwner === true && !standing.alone,
        remains,
      },
    };
  },
});

/** All or nothing, in one transaction. The keys themselves are destroyed right after it. */
export const deleteAccountRoute = defineLifeRoute({
  method: 'POST',
  path: '/v1/account/deletion',
  summary: 'Delete your account with everything the plan names. Answers with a certificate; there is no way back',
  input: { body: deletion },
  output: deleted,
  access: ownAccount('account.manage'),
  assurance: 'reauthenticated',
  limit: [deletionByAccount],
  audit: audited('account.deleted'),
  async handler(call) {
    const { body, services, transaction } = call;
    const actor = changingOwnAccount(call);
    const { account } = actor;
    const view = await ownView(call);
    if (parseEmail(body.confirmation) !== view.email) {
      throw new AuthenticationError('authentication.wrong-confirmation');
    }
    const standing = await services.memberships.standing(transaction, actor);
    const spaces = await services.departures.erase(transaction, actor, body.deleteSpaces ?? []);
    await services.memberships.leave(transaction, actor);
    const invitations = await withdrawInvitationsOf(transaction, account, services.clock.now());
    const sessions = await endAllSessions(transaction, { account });
    await deleteAccount(transaction, account);
    if (services.subjectErasure !== undefined) await queueErasure(transaction, account, services.clock.now());

    const ended = spaces.filter(({ outcome }) => outcome === 'delete');
    const left = spaces.filter(({ outcome }) => outcome !== 'delete');
    const destroyed = {
      sessions,
      invitations,
      spaces: ended.length,
      spacesLeft: left.length,
      memories:
        ended.reduce((sum, space) => sum + space.memories, 0) + left.reduce((sum, space) => sum + space.authored, 0),
      tenant: standing?.alone === true,
    };
    call.record({ details: destroyed });
    return {
      headers: { 'set-cookie': clearCookie },
      async conclude() {
        const receipt = await services.receipts.receipt(transaction, call.context.requestId);
        return {
          account,
          eventId: receipt.eventId,
          deletedAt: receipt.occurredAt,
          destroyed: {
            ...destroyed,
            keys: services.subjectErasure === undefined ? ('rows' as const) : ('queued' as const),
          },
          remains,
          entry: toBase64Url(receipt.entry),
          leafHash: toBase64Url(receipt.leafHash),
        };
      },
    };
  },
});
