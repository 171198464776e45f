import type { Uuid } from '@strongroom/kernel';
import { audited, notAudited, ownAccount, pageOf, type Call, type Reply, type RouteInput } from '@strongroom/pipeline';
import { z } from 'zod';
import { ordinary, reauthenticationByAccount } from '../../limits.ts';
import type { AuthenticationServices } from '../../services.ts';
import {
  PAGE_ITEMS,
  reauthenticated,
  reauthentication,
  sessionList,
  sessionPath,
  sessionQuery,
  sessionsEnded,
} from '../../wire.ts';
import { clearCookie } from '../cookie.ts';
import { endOtherSessions } from '../session-endings.ts';
import { endSession, listSessions, raiseSession } from '../sessions.ts';
import { defineRoute } from './define.ts';
import { provedByPassword } from './own-account.ts';
import { handOver } from './started.ts';

const permission = 'session.manage';

export const listSessionsRoute = defineRoute({
  method: 'GET',
  path: '/v1/sessions',
  summary: 'List your sessions, newest first',
  input: { query: sessionQuery },
  output: sessionList,
  access: ownAccount(permission),
  assurance: 'session',
  limit: [ordinary],
  audit: notAudited('Reads what concerns the caller only.'),
  async handler({ query, services, transaction, account }) {
    const actor = account();
    const found = await listSessions(services, transaction, actor, { before: query.cursor, limit: PAGE_ITEMS + 1 });
    const { rows, next } = pageOf(found, PAGE_ITEMS);
    return {
      body: {
        items: rows.map((session) => ({
          id: session.id,
          transport: session.transport,
          createdAt: session.createdAt.toISOString(),
          lastSeenAt: session.lastSeenAt.toISOString(),
          idleExpiresAt: session.idleExpiresAt.toISOString(),
          expiresAt: session.expiresAt.toISOString(),
          deviceName: session.deviceName,
          current: session.id === actor.session,
        })),
        next,
      },
    };
  },
});

export const endSessionRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/sessions/{session}',
  summary: 'End one of your sessions',
  input: { path: sessionPath },
  output: z.null(),
  access: ownAccount(permission),
  assurance: 'session',
  limit: [ordinary],
  audit: audited('session.ended'),
  handler: (call) => end(call, call.path.session),
});

export const signOutRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/sessions/current',
  summary: 'Sign out',
  input: {},
  output: z.null(),
  access: ownAccount(permission),
  assurance: 'session',
  limit: [ordinary],
  audit: audited('session.ended'),
  handler: (call) => end(call, call.account().session),
});

async function end(
  {
    account,
    record,
    transaction,
  }: Pick<Call<RouteInput, AuthenticationServices>, 'account' | 'record' | 'transaction'>,
  session: Uuid,
): Promise<Reply<null>> {
  const actor = account();
  await endSession(transaction, actor, session);
  record(sessionObject(session));
  return { headers: session === actor.session ? { 'set-cookie': clearCookie } : {}, body: null };
}

export const endOthersRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/sessions',
  summary: 'End all your sessions but this one',
  input: {},
  output: sessionsEnded,
  access: ownAccount(permission),
  assurance: 'session',
  limit: [ordinary],
  audit: audited('session.others-ended'),
  async handler({ transaction, account, record }) {
    const ended = await endOtherSessions(transaction, account());
    record({ details: { ended } });
    return { body: { ended } };
  },
});

export const reauthenticationRoute = defineRoute({
  method: 'POST',
  path: '/v1/reauthentication',
  summary:
    'Prove the password again; for five minutes the session may do what asks for that. The session gets a new token',
  input: { body: reauthentication },
  output: reauthenticated,
  access: ownAccount(permission),
  assurance: 'session',
  limit: [reauthenticationByAccount],
  audit: audited('session.reauthenticated'),
  async handler(call) {
    const { body, services, transaction } = call;
    const actor = call.account();
    call.record(sessionObject(actor.session));
    await provedByPassword(call, body.authenticationSecret);
    const raised = await raiseSession(services, transaction, actor);
    const { headers, token } = handOver(raised, services.clock.now());
    return { headers, body: { reauthenticatedUntil: raised.until.toISOString(), token } };
  },
});

const sessionObject = (id: Uuid) => ({ object: { type: 'session', id } });
