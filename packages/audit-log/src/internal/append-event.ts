/** Writing one event: one row in the caller's transaction, people replaced by pseudonyms on the way. */
import { type Actor, isUuid, newUuid, toHex, type Uuid } from '@strongroom/kernel';
import type { AuditEvent, ChangeDigests } from '@strongroom/pipeline';
import { postpone, textLiteral, type Transaction } from '@strongroom/storage';
import {
  canonicalDetails,
  commitmentTo,
  digestCommitment,
  encodeEntry,
  type EventColumns,
  personOf,
  SALT_LENGTH,
} from '../entry.ts';
import { AuditLogError } from '../errors.ts';
import { commonKey, sealOpening } from './opening.ts';
import { type Holder, NOBODY, openingHolders, type OpeningKeys, placeOf } from './opening-keys.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { RandomSupply } from './random-supply.ts';
import { waitingJson } from './read-events.ts';

/** What this process knows about people in the log. */
export interface People {
  readonly pseudonyms: Pseudonyms;
  readonly openings: OpeningKeys;
}

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
  people: People,
  event: AuditEvent,
  now: number,
): Promise<void> {
  const actor = actorColumns(event.context.actor);
  const objectAccount = accountBehind(event, actor);
  const subjects = [...new Set(event.subjects)];
  const accounts = [actor.account, objectAccount, ...subjects].filter((account) => account !== null);
  refusePeople(event.details, accounts);
  const pseudonyms = await people.pseudonyms.of(transaction, accounts, now);
  const pseudonymOf = (account: Uuid | null): string | null => (account === null ? null : pseudonyms.get(account)!);

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
    addressCommitment: null,
    objectType: event.object?.type ?? null,
    objectId: pseudonymOf(objectAccount) ?? event.object?.id ?? null,
    subjects: subjects.map((subject) => pseudonyms.get(subject)!),
    details: canonicalDetails(event.details),
  };
  const { columns: logged, opening } = await withOpening(transaction, people, event, columns, pseudonyms, now);
  refuseUnstorable(logged);
  // Tells whether the sequencer will be able to take the event.
  encodeEntry(logged);

  // Constants, so that the statement can share a round trip with the commit; it is planned faster than parameters would be bound.
  const stored = opening === null ? 'null' : `'\\x${toHex(opening)}'`;
  const about = personOf(logged);
  const subject = about === null ? 'null' : textLiteral(about);
  const values = [textLiteral(waitingJson(logged)), subject, stored];
  await postpone(transaction, `insert into audit_inbox values (${values.join(', ')})`);
}

/** The columns with what they commit to, and what opens it; without either where those it is about are or were just being forgotten. */
async function withOpening(
  transaction: Transaction,
  people: People,
  { context, digests, details }: AuditEvent,
  columns: EventColumns,
  pseudonyms: ReadonlyMap<Uuid, string>,
  now: number,
): Promise<{ readonly columns: EventColumns; readonly opening: Uint8Array | null }> {
  const value = context.addressPrefix;
  if (value === null && digests === undefined) return { columns, opening: null };
  // The salt of the address is that of the digests too; without an address the opening is there for them alone.
  const opening = { salt: salts.next(), value: value ?? '' };
  const plain = { ...columns, addressCommitment: commitmentTo(opening) };
  const full =
    digests === undefined
      ? plain
      : { ...plain, details: canonicalDetails({ ...details, ...committed(opening.salt, digests) }) };
  const accountOf = new Map([...pseudonyms].map(([account, pseudonym]) => [pseudonym, account]));
  const holders = openingHolders(full).map((person): Holder => ({ person, account: accountOf.get(person) ?? null }));
  const known = holders.filter(
    ({ person, account }) =>
      person === NOBODY || (account !== null && !people.pseudonyms.isForgotten(transaction, account)),
  );
  const keys = await people.openings.forWriting(transaction, known, now);
  const seal = (candidate: EventColumns): Uint8Array | null => {
    const needed = openingHolders(candidate).map((person) => keys.get(person));
    if (!needed.every((key) => key !== undefined)) return null;
    return sealOpening(commonKey(needed), placeOf(candidate), opening);
  };
  const sealed = seal(full);
  if (sealed !== null) return { columns: full, opening: sealed };
  // What is about somebody who is forgotten is left out; the address may still be somebody else's.
  const rest = digests === undefined || value === null ? null : seal(plain);
  return rest === null ? { columns, opening: null } : { columns: plain, opening: rest };
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

const salts = new RandomSupply(SALT_LENGTH);

/** Names the committed field in `audit_openings`. */
export const ADDRESS_PREFIX = 'address_prefix';
