/** Writing one event: one row in the caller's transaction, people replaced by pseudonyms on the way. */
import { randomFillSync } from 'node:crypto';
import { type Actor, isUuid, newUuid, toHex, type Uuid } from '@strongroom/kernel';
import type { AuditEvent, ChangeDigests } from '@strongroom/pipeline';
import { postpone, textLiteral, type Transaction } from '@strongroom/storage';
import {
  canonicalDetails,
  commitmentTo,
  digestCommitment,
  encodeEntry,
  type EventColumns,
  type Opening,
  personOf,
  SALT_LENGTH,
} from '../entry.ts';
import { encodeOpening } from './opening.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { waitingJson } from './read-events.ts';
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
export async function appendEvent(
  transaction: Transaction,
  pseudonyms: Pseudonyms,
  event: AuditEvent,
  now: number,
): Promise<void> {
  const actor = actorColumns(event.context.actor);
  const objectAccount = accountBehind(event, actor);
  const subjects = [...new Set(event.subjects)];
  const accounts = [actor.account, objectAccount, ...subjects].filter((account) => account !== null);
  refusePeople(event.details, accounts);
  const people = await pseudonyms.of(transaction, accounts, now);
  const pseudonymOf = (account: Uuid | null): string | null => (account === null ? null : people.get(account)!);

  const person = actor.account ?? subjects[0];
  const isForgotten = person !== undefined && pseudonyms.isForgotten(transaction, person);
  const prefix = isForgotten ? null : event.context.addressPrefix;
  const digests = isForgotten ? undefined : event.digests;
  // The salt of the address is that of the digests too; without an address the opening is there for them alone.
  const opening: Opening | null =
    prefix === null && digests === undefined ? null : { salt: newSalt(), value: prefix ?? '' };
  const columns: EventColumns = {
    eventId: newUuid(now),
    occurredAt: now * 1000,
    type: event.type,
    outcome: event.outcome,
    reason: event.reason ?? null,
    actorKind: actor.kind,
    actor: pseudonymOf(actor.account),
    actorVia: actor.via,
    sessionId: actor.session,
    tenantId: event.tenant,
    requestId: event.context.requestId,
    addressCommitment: opening === null ? null : commitmentTo(opening),
    objectType: event.object?.type ?? null,
    objectId: pseudonymOf(objectAccount) ?? event.object?.id ?? null,
    subjects: subjects.map((subject) => people.get(subject)!),
    details: canonicalDetails(
      opening === null || digests === undefined
        ? event.details
        : { ...event.details, ...committed(opening.salt, digests) },
    ),
  };
  refuseUnstorable(columns);
  // Tells whether the sequencer will be able to take the event.
  encodeEntry(columns);

  // Constants, so that the statement can share a round trip with the commit; it is planned faster than parameters would be bound.
  const stored = opening === null ? 'null' : `'\\x${toHex(encodeOpening(opening))}'`;
  const about = personOf(columns);
  const subject = about === null ? 'null' : textLiteral(about);
  const values = [textLiteral(waitingJson(columns)), subject, stored];
  await postpone(transaction, `insert into audit_inbox values (${values.join(', ')})`);
}

const committed = (salt: Uint8Array, { before, after }: ChangeDigests) => ({
  ...(before === undefined ? {} : { beforeDigest: digestCommitment(salt, 'before', before) }),
  ...(after === undefined ? {} : { afterDigest: digestCommitment(salt, 'after', after) }),
});

/** PostgreSQL keeps neither U+0000 nor half a surrogate pair in a text; `details` has both escaped. */
function refuseUnstorable({ type, reason, actorVia, objectType, objectId }: EventColumns): void {
  for (const text of [type, reason, actorVia, objectType, objectId]) {
    if (text !== null && (text.includes('\0') || !text.isWellFormed())) {
      throw new AuditLogError('audit-log.invalid-entry', { detail: 'Not storable.' });
    }
  }
}

/** One call of the generator for many salts: the call costs several times what the bytes cost. */
const salts = new Uint8Array(64 * SALT_LENGTH);
let saltsUsed = salts.length;

function newSalt(): Uint8Array {
  if (saltsUsed === salts.length) {
    randomFillSync(salts);
    saltsUsed = 0;
  }
  const salt = salts.slice(saltsUsed, saltsUsed + SALT_LENGTH);
  // Each is used once, and what is left of it here is no use to anybody.
  salts.fill(0, saltsUsed, saltsUsed + SALT_LENGTH);
  saltsUsed += SALT_LENGTH;
  return salt;
}

/** Names the committed field in `audit_openings`. */
export const ADDRESS_PREFIX = 'address_prefix';
