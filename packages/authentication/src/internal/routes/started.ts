import type { AccountActor, Uuid } from '@strongroom/kernel';
import type { Call, Reply, RouteInput } from '@strongroom/pipeline';
import type { z } from 'zod';
import { AuthenticationError } from '../../errors.ts';
import type { AuthenticationServices, Membership } from '../../services.ts';
import type { sessionStarted } from '../../wire.ts';
import { accountView } from '../accounts.ts';
import { setCookie } from '../cookie.ts';
import { startSession } from '../sessions.ts';
import type { Transport } from '../tables.ts';

/** Starts a session for somebody who has just proved who they are, and answers with it. */
export async function startAndAnswer(
  call: Call<RouteInput, AuthenticationServices>,
  account: Uuid,
  { tenant, role }: Membership,
  wish: { readonly transport: Transport; readonly deviceName?: string | undefined },
): Promise<Reply<z.input<typeof sessionStarted>>> {
  const { services, transaction } = call;
  const { transport, deviceName } = wish;
  const session = await startSession(services, transaction, { account, tenant, transport, deviceName });
  call.record({
    actor: { kind: 'account', account, session: session.id, tenant },
    tenant,
    subjects: [account],
    details: { transport },
  });
  return {
    headers: transport === 'cookie' ? { 'set-cookie': setCookie(session.token, secondsOf(session)) } : {},
    body: {
      session: {
        id: session.id,
        transport,
        createdAt: session.createdAt.toISOString(),
        idleExpiresAt: session.idleExpiresAt.toISOString(),
        expiresAt: session.expiresAt.toISOString(),
      },
      token: transport === 'bearer' ? session.token : null,
      account: await accountView(services.encryption, transaction, account, { tenant, role }),
    },
  };
}

/** The account's membership in the session's tenant. Throws `authentication.no-membership` when it left meanwhile. */
export async function membershipOf(
  { services, transaction }: Pick<Call<RouteInput, AuthenticationServices>, 'services' | 'transaction'>,
  actor: AccountActor,
): Promise<Membership> {
  const memberships = await services.memberships.membershipsOf(transaction, actor.account);
  const membership = memberships.find(({ tenant }) => tenant === actor.tenant);
  if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
  return membership;
}

const secondsOf = (session: { readonly createdAt: Date; readonly expiresAt: Date }): number =>
  Math.floor((session.expiresAt.getTime() - session.createdAt.getTime()) / 1000);
