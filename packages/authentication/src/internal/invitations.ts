/** Invitations and the set-up link: 256-bit tokens, usable once, known to the database by their hash only. */
import { isUuid, newUuid, type AccountActor, type Uuid } from '@strongroom/kernel';
import { consumeOnce, issueSingleUse, withdrawUnused, type Transaction } from '@strongroom/storage';
import { z } from 'zod';
import { AuthenticationError } from '../errors.ts';
import { INVITATION_SECONDS, SETUP_INVITATION_SECONDS } from '../lifetimes.ts';
import type { AuthenticationServices, Membership, Role } from '../services.ts';
import { newInvitation } from '../wire.ts';
import { lockAndHasAccounts } from './accounts.ts';
import { tables } from './tables.ts';
import { hashToken, newToken } from './token.ts';

/** One purpose for both kinds: whoever signs up need not know which one they hold. */
const PURPOSE = 'authentication.invitation';

const uuid = z.custom<Uuid>(isUuid);

/** What an invitation's row carries. Written here only; parsed anyway, since it decides who becomes an owner. */
const payload = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('set-up') }),
  z.strictObject({
    kind: z.literal('member'),
    id: uuid,
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
): Promise<IssuedInvitation & { readonly hash: Uint8Array }> {
  const { text, hash } = newToken(services.encryption, 'authentication.invitation-token');
  const expiresAt = services.clock.now() + seconds * 1000;
  await issueSingleUse(transaction, { purpose: PURPOSE, hash, payload: content, expiresAt });
  return { token: text, hash, expiresAt: new Date(expiresAt) };
}

/** Throws `authentication.role-too-high` when the inviter ranks below the role. */
export async function invite(
  services: AuthenticationServices,
  transaction: Transaction,
  inviter: AccountActor,
  role: Role,
): Promise<IssuedInvitation & { readonly id: Uuid }> {
  // Held: whoever removes the inviter withdraws what is made here, or this finds them gone.
  const wanted = { tenant: inviter.tenant, inviter: inviter.account, role, hold: true };
  if (!(await services.memberships.mayInvite(transaction, wanted))) {
    throw new AuthenticationError('authentication.role-too-high');
  }
  const now = services.clock.now();
  const id = newUuid(now);
  const content = { kind: 'member', id, tenant: inviter.tenant, role, invitedBy: inviter.account } as const;
  const { token, hash, expiresAt } = await issue(services, transaction, content, INVITATION_SECONDS);
  await tables(transaction)
    .insertInto('invitations')
    .values({
      id,
      tenant_id: inviter.tenant,
      role,
      invited_by: inviter.account,
      secret_hash: hash,
      created_at: new Date(now),
      expires_at: expiresAt,
    })
    .execute();
  return { id, token, expiresAt };
}

export interface OpenInvitation {
  readonly id: Uuid;
  readonly role: Role;
  readonly invitedBy: Uuid;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Those of the tenant that can still be used, newest first, at most `limit`, older than the invitation `before`. */
export async function listInvitations(
  transaction: Transaction,
  of: { readonly tenant: Uuid; readonly now: number },
  page: { readonly before: Uuid | undefined; readonly limit: number },
): Promise<readonly OpenInvitation[]> {
  let open = tables(transaction)
    .selectFrom('invitations')
    .select(['id', 'role', 'invited_by', 'created_at', 'expires_at'])
    .where('tenant_id', '=', of.tenant)
    .where('expires_at', '>', new Date(of.now));
  if (page.before !== undefined) open = open.where('id', '<', page.before);
  const rows = await open.orderBy('id', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({
    id: row.id,
    role: row.role,
    invitedBy: row.invited_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }));
}

/**
 * Uses the secret up in the inviter's place, so that of withdrawing and accepting at the same moment one succeeds. Throws
 * `authentication.invitation-not-found` for one of another tenant, too.
 */
export async function withdrawInvitation(
  services: AuthenticationServices,
  transaction: Transaction,
  of: { readonly tenant: Uuid; readonly id: Uuid },
): Promise<void> {
  const row = await tables(transaction)
    .deleteFrom('invitations')
    .where('id', '=', of.id)
    .where('tenant_id', '=', of.tenant)
    .returning('secret_hash')
    .executeTakeFirst();
  const attempt = row && { purpose: PURPOSE, hash: row.secret_hash, now: services.clock.now() };
  if (attempt === undefined || (await consumeOnce(transaction, attempt)) === undefined) {
    throw new AuthenticationError('authentication.invitation-not-found');
  }
}

/** Those that the account made, all of them or of one tenant and some roles. Answers with how many could still have been used. */
export async function withdrawInvitationsOf(
  transaction: Transaction,
  account: Uuid,
  now: number,
  only?: { readonly tenant: Uuid; readonly roles: readonly Role[] },
): Promise<number> {
  if (only?.roles.length === 0) return 0;
  const rows = await tables(transaction)
    .deleteFrom('invitations')
    .where('invited_by', '=', account)
    .$if(only !== undefined, (query) => query.where('tenant_id', '=', only!.tenant).where('role', 'in', only!.roles))
    .returning('secret_hash')
    .execute();
  let open = 0;
  for (const { secret_hash: hash } of rows) {
    if ((await consumeOnce(transaction, { purpose: PURPOSE, hash, now })) !== undefined) open += 1;
  }
  return open;
}

export async function countInvitationsOf(transaction: Transaction, account: Uuid, now: number): Promise<number> {
  const { count } = await tables(transaction)
    .selectFrom('invitations')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('invited_by', '=', account)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirstOrThrow();
  return count;
}

export async function purgeInvitations(transaction: Transaction, now: number): Promise<void> {
  await tables(transaction).deleteFrom('invitations').where('expires_at', '<=', new Date(now)).execute();
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
  const { id, tenant, role, invitedBy } = content;
  await tables(transaction).deleteFrom('invitations').where('id', '=', id).execute();
  if (!(await services.memberships.mayInvite(transaction, { tenant, inviter: invitedBy, role }))) {
    throw new AuthenticationError('authentication.invalid-invitation');
  }
  return { tenant, role };
}
