/** Session rows. Every function that touches one takes whose it must be; there is no way to reach a session by id alone. */
import { newUuid, type AccountActor, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { AuthenticationError } from '../errors.ts';
import { LAST_SEEN_RESOLUTION_SECONDS, REAUTHENTICATION_SECONDS, sessionLifetimes } from '../lifetimes.ts';
import type { AuthenticationServices } from '../services.ts';
import { sessionCodec } from './codecs.ts';
import { tables, type Transport } from './tables.ts';
import { newSessionToken } from './token.ts';

interface SessionTimes {
  readonly createdAt: Date;
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
}

/** A token that has not been handed over yet, and how its session travels. */
export interface NewToken {
  readonly transport: Transport;
  readonly token: string;
  readonly expiresAt: Date;
}

export interface StartedSession extends SessionTimes, NewToken {
  readonly id: Uuid;
}

export interface NewSession {
  readonly account: Uuid;
  readonly tenant: Uuid;
  readonly transport: Transport;
  readonly deviceName: string | undefined;
}

const after = (milliseconds: number, seconds: number): Date => new Date(milliseconds + seconds * 1000);

/** A new session with a new token, whatever the caller presented before: a planted token is never promoted. */
export async function startSession(
  services: AuthenticationServices,
  transaction: Transaction,
  { account, tenant, transport, deviceName }: NewSession,
): Promise<StartedSession> {
  const now = services.clock.now();
  const id = newUuid(now);
  const token = newSessionToken(services.encryption);
  const { idleSeconds, absoluteSeconds } = sessionLifetimes[transport];
  const times = {
    createdAt: new Date(now),
    idleExpiresAt: after(now, idleSeconds),
    expiresAt: after(now, absoluteSeconds),
  };
  const keys =
    deviceName === undefined
      ? services.encryption
      : await services.encryption.subjects(transaction, [account], { create: true });
  await tables(transaction)
    .insertInto('sessions')
    .values(
      sessionCodec.with(keys).seal({
        id,
        account_id: account,
        tenant_id: tenant,
        token_hash: token.hash,
        transport,
        device_name: deviceName ?? null,
        created_at: times.createdAt,
        last_seen_at: times.createdAt,
        idle_expires_at: times.idleExpiresAt,
        expires_at: times.expiresAt,
        reauthenticated_until: null,
      }),
    )
    .execute();
  return { id, transport, token: token.text, ...times };
}

export interface ResumedSession {
  readonly actor: AccountActor;
  readonly reauthenticated: boolean;
}

/**
 * The live session of this token, or undefined. The token must have come the way it was handed out: what a page can
 * read from a bearer answer is no cookie, and a stolen cookie is no bearer token.
 */
export async function resumeSession(
  services: AuthenticationServices,
  transaction: Transaction,
  presented: { readonly tokenHash: Uint8Array; readonly transport: Transport },
): Promise<ResumedSession | undefined> {
  const now = services.clock.now();
  const row = await tables(transaction)
    .selectFrom('sessions')
    .select(['id', 'account_id', 'tenant_id', 'last_seen_at', 'idle_expires_at', 'expires_at', 'reauthenticated_until'])
    .where('token_hash', '=', presented.tokenHash)
    .where('transport', '=', presented.transport)
    .executeTakeFirst();
  if (row === undefined || row.idle_expires_at.getTime() <= now) return undefined;
  if (now - row.last_seen_at.getTime() >= LAST_SEEN_RESOLUTION_SECONDS * 1000) {
    const idleEnd = after(now, sessionLifetimes[presented.transport].idleSeconds);
    await tables(transaction)
      .updateTable('sessions')
      .set({
        last_seen_at: new Date(now),
        idle_expires_at: idleEnd < row.expires_at ? idleEnd : row.expires_at,
      })
      .where('id', '=', row.id)
      .where('account_id', '=', row.account_id)
      .execute();
  }
  return {
    actor: { kind: 'account', account: row.account_id, session: row.id, tenant: row.tenant_id },
    reauthenticated: row.reauthenticated_until !== null && row.reauthenticated_until.getTime() > now,
  };
}

/**
 * Marks the actor's session as recently proved and gives it a new token (ASVS 5.0 7.2.4); the former one ends here.
 * Throws `authentication.invalid-session` when the session ended meanwhile.
 */
export async function raiseSession(
  services: AuthenticationServices,
  transaction: Transaction,
  actor: AccountActor,
): Promise<NewToken & { readonly until: Date }> {
  const until = after(services.clock.now(), REAUTHENTICATION_SECONDS);
  return { until, ...(await replaceToken(services, transaction, actor, until)) };
}

/** A new token for the actor's session, which is no longer one of a recent proof: what was proved is used up. Throws as `raiseSession` does. */
export const renewSession = (
  services: AuthenticationServices,
  transaction: Transaction,
  actor: AccountActor,
): Promise<NewToken> => replaceToken(services, transaction, actor, null);

async function replaceToken(
  { encryption }: AuthenticationServices,
  transaction: Transaction,
  actor: AccountActor,
  reauthenticatedUntil: Date | null,
): Promise<NewToken> {
  const token = newSessionToken(encryption);
  const row = await tables(transaction)
    .updateTable('sessions')
    .set({ token_hash: token.hash, reauthenticated_until: reauthenticatedUntil })
    .where('id', '=', actor.session)
    .where('account_id', '=', actor.account)
    .returning(['transport', 'expires_at'])
    .executeTakeFirst();
  if (row === undefined) throw new AuthenticationError('authentication.invalid-session');
  return { token: token.text, transport: row.transport, expiresAt: row.expires_at };
}

export interface ListedSession extends SessionTimes {
  readonly id: Uuid;
  readonly transport: Transport;
  readonly lastSeenAt: Date;
  readonly deviceName: string | null;
}

/** The actor's live sessions, newest first, at most `limit`, older than the session `before`. */
export async function listSessions(
  services: AuthenticationServices,
  transaction: Transaction,
  actor: AccountActor,
  page: { readonly before: Uuid | undefined; readonly limit: number },
): Promise<readonly ListedSession[]> {
  let own = tables(transaction)
    .selectFrom('sessions')
    .select([
      'id',
      'account_id',
      'transport',
      'device_name',
      'created_at',
      'last_seen_at',
      'idle_expires_at',
      'expires_at',
    ])
    .where('account_id', '=', actor.account)
    .where('idle_expires_at', '>', new Date(services.clock.now()));
  if (page.before !== undefined) own = own.where('id', '<', page.before);
  const rows = await own.orderBy('id', 'desc').limit(page.limit).execute();
  const opened = await sessionCodec.openAll(services.encryption, transaction, rows);
  return opened.map((row) => ({
    id: row.id,
    transport: row.transport,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
    deviceName: row.device_name,
  }));
}

/** Ends one of the actor's own sessions. Throws `authentication.session-not-found` for anybody else's, as for none at all. */
export async function endSession(transaction: Transaction, actor: AccountActor, session: Uuid): Promise<void> {
  const ended = await tables(transaction)
    .deleteFrom('sessions')
    .where('id', '=', session)
    .where('account_id', '=', actor.account)
    .returning('id')
    .executeTakeFirst();
  if (ended === undefined) throw new AuthenticationError('authentication.session-not-found');
}

/** Deletes the rows of sessions that ended by time. */
export async function purgeSessions(transaction: Transaction, now: number): Promise<void> {
  await tables(transaction).deleteFrom('sessions').where('idle_expires_at', '<=', new Date(now)).execute();
}
