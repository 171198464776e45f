import type { Uuid } from '@strongroom/kernel';
import { audited, notAudited, ownAccount, pageOf } from '@strongroom/pipeline';
import { z } from 'zod';
import { AuthenticationError } from '../../errors.ts';
import { ordinary, reauthenticationByAccount } from '../../limits.ts';
import {
  PAGE_ITEMS,
  reauthenticated,
  reauthentication,
  sessionList,
  sessionPath,
  sessionQuery,
  sessionsEnded,
} from '../../wire.ts';
import { ownCredential } from '../accounts.ts';
import { clearCookie, setCookie } from '../cookie.ts';
import { proves } from '../credential.ts';
import { endOtherSessions } from '../session-endings.ts';
import { endSession, listSessions, raiseSession } from '../sessions.ts';
import { defineRoute } from './define.ts';

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
  async handler({ path, transaction, account, record }) {
    const actor = account();
    await endSession(transaction, actor, path.session);
    record(sessionObject(path.session));
    return { headers: path.session === actor.session ? { 'set-cookie': clearCookie } : {}, body: null };
  },
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
  async handler({ transaction, account, record }) {
    const actor = account();
    await endSession(transaction, actor, actor.session);
    record(sessionObject(actor.session));
    return { headers: { 'set-cookie': clearCookie }, body: null };
  },
});

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
  async handler({ body, services, transaction, account, record }) {
    const actor = account();
    record(sessionObject(actor.session));
    const credential = await ownCredential(transaction, actor);
    // 403, not 401: the session is good, and clients take 401 for its end.
    if (!proves(services.encryption, credential, body.authenticationSecret)) {
      throw new AuthenticationError('authentication.wrong-secret');
    }
    const raised = await raiseSession(services, transaction, actor);
    const seconds = Math.floor((raised.expiresAt.getTime() - services.clock.now()) / 1000);
    const inCookie = raised.transport === 'cookie';
    return {
      headers: inCookie ? { 'set-cookie': setCookie(raised.token, seconds) } : {},
      body: { reauthenticatedUntil: raised.until.toISOString(), token: inCookie ? null : raised.token },
    };
  },
});

const sessionObject = (id: Uuid) => ({ object: { type: 'session', id } });
