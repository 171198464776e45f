/** Writing one event: one call of a database function in the caller's transaction, people replaced by pseudonyms there. */
import { randomBytes } from 'node:crypto';
import { type Actor, isUuid, newUuid, toHex, type Uuid } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { canonicalDetails, commitmentTo, encodeEntry, type Opening, SALT_LENGTH } from '../entry.ts';
import { encodeOpening } from './opening.ts';
import { AuditLogError } from '../errors.ts';

interface ActorColumns {
  readonly kind: Actor['kind'];
  readonly account: Uuid | null;
  readonly via: string | null;
  readonly session: Uuid | null;
}

function actorColumns(actor: Actor): ActorColumns {
  const nobody = { kind: actor.kind, account: null, via: null, session: null };
  switch (actor.kind) {
    case 'account':
      return { ...nobody, account: actor.account, session: actor.session };
    case 'operator':
      return { ...nobody, via: actor.via };
    case 'system':
      return { ...nobody, via: actor.job };
    case 'anonymous':
    default:
      return nobody;
  }
}

/** An object that is an account, or is known to be one because the event names it as a person. */
function accountBehind({ object, subjects }: AuditEvent, actor: ActorColumns): Uuid | null {
  if (object === null || !isUuid(object.id)) return null;
  const isPerson = object.type === 'account' || object.id === actor.account || subjects.includes(object.id);
  return isPerson ? object.id : null;
}

/** Throws `audit-log.person-in-details` when an open field repeats an account that belongs under a pseudonym. */
function refusePeople(details: AuditEvent['details'], accounts: readonly Uuid[]): void {
  for (const [name, value] of Object.entries(details)) {
    if (accounts.some((account) => name.includes(account) || (typeof value === 'string' && value.includes(account)))) {
      throw new AuditLogError('audit-log.person-in-details');
    }
  }
}

/** Throws before anything is written when the event could not become a log entry. */
export async function appendEvent(transaction: Transaction, event: AuditEvent, now: number): Promise<void> {
  const actor = actorColumns(event.context.actor);
  const objectAccount = accountBehind(event, actor);
  const subjects = [...new Set(event.subjects)];
  const accounts = [actor.account, objectAccount, ...subjects].filter((account) => account !== null);
  refusePeople(event.details, accounts);

  const prefix = event.context.addressPrefix;
  const opening: Opening | null =
    prefix === null ? null : { salt: new Uint8Array(randomBytes(SALT_LENGTH)), value: prefix };
  const row = {
    eventId: newUuid(now),
    occurredAt: now * 1000,
    type: event.type,
    outcome: event.outcome,
    reason: event.reason ?? null,
    actorKind: actor.kind,
    actor: actor.account,
    actorVia: actor.via,
    sessionId: actor.session,
    tenantId: event.tenant,
    requestId: event.context.requestId,
    addressCommitment: opening === null ? null : commitmentTo(opening),
    objectType: event.object?.type ?? null,
    objectId: event.object?.id ?? null,
    subjects,
    details: canonicalDetails(event.details),
  };
  // Pseudonyms are as long as the account ids they replace, so this tells whether the sequencer will be able to take the event.
  encodeEntry(row);

  const parameter = JSON.stringify([
    row.eventId,
    new Date(now).toISOString(),
    row.type,
    row.outcome,
    row.reason,
    row.actorKind,
    row.actor,
    row.actorVia,
    row.sessionId,
    row.tenantId,
    row.requestId,
    row.addressCommitment === null ? null : toHex(row.addressCommitment),
    row.objectType,
    objectAccount,
    row.objectId,
    subjects,
    row.details,
    opening === null ? null : toHex(encodeOpening(opening)),
  ]);
  await sql`select audit_append(${parameter}::jsonb)`.execute(transaction);
}

/** Names the committed field in `audit_openings`. */
export const ADDRESS_PREFIX = 'address_prefix';
