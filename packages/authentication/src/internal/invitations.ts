/** Invitations and the set-up link: 256-bit tokens, usable once, known to the database by their hash only. */
import { isUuid, type AccountActor, type Uuid } from '@strongroom/kernel';
import { consumeOnce, issueSingleUse, withdrawUnused, type Transaction } from '@strongroom/storage';
import { z } from 'zod';
import { AuthenticationError } from '../errors.ts';
import { INVITATION_SECONDS, SETUP_INVITATION_SECONDS } from '../lifetimes.ts';
import type { AuthenticationServices, Membership, Role } from '../services.ts';
import { newInvitation } from '../wire.ts';
import { lockAndHasAccounts } from './accounts.ts';
import { hashToken, newToken } from './token.ts';

/** One purpose for both kinds: whoever signs up need not know which one they hold. */
const PURPOSE = 'authentication.invitation';

const uuid = z.custom<Uuid>(isUuid);

/** What an invitation's row carries. Written here only; parsed anyway, since it decides who becomes an owner. */
const payload = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('set-up') }),
  z.strictObject({
    kind: z.literal('member'),
    tenant: uuid,
    role: newInvitation.shape.role,
    invitedBy: uuid,
  }),
]);

interface IssuedInvitation {
  readonly token: string;
  readonly expiresAt: Date;
}

async function issue(
  services: AuthenticationServices,
  transaction: Transaction,
  content: z.input<typeof payload>,
  seconds: number,
): Promise<IssuedInvitation> {
  const { text, hash } = newToken(services.encryption, 'authentication.invitation-token');
  const expiresAt = services.clock.now() + seconds * 1000;
  await issueSingleUse(transaction, { purpose: PURPOSE, hash, payload: content, expiresAt });
  return { token: text, expiresAt: new Date(expiresAt) };
}

/** Throws `authentication.role-too-high` when the inviter ranks below the role. */
export async function invite(
  services: AuthenticationServices,
  transaction: Transaction,
  inviter: AccountActor,
  role: Role,
): Promise<IssuedInvitation> {
  const grant = { tenant: inviter.tenant, granter: inviter.account, role };
  if (!(await services.memberships.mayGrant(transaction, grant))) {
    throw new AuthenticationError('authentication.role-too-high');
  }
  const content = { kind: 'member', tenant: inviter.tenant, role, invitedBy: inviter.account } as const;
  return issue(services, transaction, content, INVITATION_SECONDS);
}

/** A new set-up token in place of the former one, or null when there is an account. */
export async function replaceSetupInvitation(
  services: AuthenticationServices,
  transaction: Transaction,
): Promise<string | null> {
  // Two replicas that start at once come here one after the other: the second one's token counts.
  if (await lockAndHasAccounts(transaction)) return null;
  // Nobody could have invited anybody yet: whatever is still open is a former set-up link.
  await withdrawUnused(transaction, PURPOSE);
  const { token } = await issue(services, transaction, { kind: 'set-up' }, SETUP_INVITATION_SECONDS);
  return token;
}

/**
 * Uses the invitation up and answers what it gives; when the transaction rolls back, it is as good as new. Throws
 * `authentication.invalid-invitation` for unknown, expired, used and replaced ones alike, also when the inviter lost
 * the right to give this role in the meantime, and for a set-up link once there is an account.
 */
export async function acceptInvitation(
  services: AuthenticationServices,
  transaction: Transaction,
  token: Uint8Array,
): Promise<Membership> {
  const hash = hashToken(services.encryption, 'authentication.invitation-token', token);
  const consumed = await consumeOnce(transaction, { purpose: PURPOSE, hash, now: services.clock.now() });
  if (consumed === undefined) throw new AuthenticationError('authentication.invalid-invitation');
  const content = payload.parse(consumed);
  if (content.kind === 'set-up') {
    if (await lockAndHasAccounts(transaction)) throw new AuthenticationError('authentication.invalid-invitation');
    return { tenant: await services.memberships.createTenant(transaction), role: 'owner' };
  }
  const { tenant, role, invitedBy } = content;
  if (!(await services.memberships.mayGrant(transaction, { tenant, granter: invitedBy, role }))) {
    throw new AuthenticationError('authentication.invalid-invitation');
  }
  return { tenant, role };
}
