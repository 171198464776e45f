import type { Uuid } from '@strongroom/kernel';
import type { Call, Reply, RouteInput } from '@strongroom/pipeline';
import type { z } from 'zod';
import type { AuthenticationServices, Membership } from '../../services.ts';
import type { sessionStarted } from '../../wire.ts';
import { accountView } from '../accounts.ts';
import { setCookie } from '../cookie.ts';
import { startSession, type NewToken } from '../sessions.ts';
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
  const { headers, token } = handOver(session, session.createdAt.getTime());
  return {
    headers,
    body: {
      session: {
        id: session.id,
        transport,
        createdAt: session.createdAt.toISOString(),
        idleExpiresAt: session.idleExpiresAt.toISOString(),
        expiresAt: session.expiresAt.toISOString(),
      },
      token,
      account: await accountView(services.encryption, transaction, account, { tenant, role }),
    },
  };
}

/** A session's token goes where the session lives: into the browser's cookie, or into the answer. `now`: milliseconds. */
export function handOver({ transport, token, expiresAt }: NewToken, now: number) {
  if (transport === 'bearer') return { headers: {}, token };
  const seconds = Math.floor((expiresAt.getTime() - now) / 1000);
  return { headers: { 'set-cookie': setCookie(token, seconds) }, token: null };
}
