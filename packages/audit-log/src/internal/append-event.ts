/** Writing one event: one row in the caller's transaction, people replaced by pseudonyms on the way. */
import { type Actor, isUuid, newUuid, type Uuid } from '@strongroom/kernel';
import type { AuditEvent, ChangeDigests } from '@strongroom/pipeline';
import { postpone, textLiteral, type Transaction } from '@strongroom/storage';
import {
  canonicalDetails,
  digestCommitment,
  encodeEntry,
  type EventColumns,
  MAXIMUM_ENTRY_LENGTH,
  personOf,
} from '../entry.ts';
import type { EventCatalogue } from '../catalogue.ts';
import { AuditLogError } from '../errors.ts';
import { type Holder, NOBODY, openingHolders, type OpeningKeys } from './opening-keys.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import { waitingJson } from './read-events.ts';

/** What this process knows about people in the log, and about events. */
export interface People {
  readonly events: EventCatalogue;
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
  const { kind } = actor;
  switch (kind) {
    case 'account':
      return { kind, account: actor.account, via: null, session: actor.session };
    case 'operator':
      return { kind, account: null, via: actor.via, session: null };
    case 'system':
      return { kind, account: null, via: actor.job, session: null };
    case 'anonymous':
    default:
      return { kind, account: null, via: null, session: null };
  }
}

/** An object that is an account, or is known to be one because the event names it as a person. */
function accountBehind({ object, subjects }: AuditEvent, actor: ActorColumns): Uuid | null {
  if (object === null) return null;
  const isPerson =
    object.type === 'account' || object.id === actor.account || subjects.some((one) => one === object.id);
  return isPerson && isUuid(object.id) ? object.id : null;
}

/** Throws `audit-log.person-in-details` when an open field repeats an account that belongs under a pseudonym. `details`: in their form as JSON, which leaves ids as they are. */
function refusePeople(details: string, accounts: readonly Uuid[]): void {
  for (const account of accounts) {
    if (details.includes(account)) throw new AuditLogError('audit-log.person-in-details');
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
  const subjects = event.subjects.length > 1 ? [...new Set(event.subjects)] : event.subjects;
  const accounts = [...subjects];
  if (actor.account !== null) accounts.push(actor.account);
  if (objectAccount !== null) accounts.push(objectAccount);
  const details = canonicalDetails(event.details);
  refusePeople(details, accounts);
  const pseudonyms =
    people.pseudonyms.remembered(accounts, now) ?? (await people.pseudonyms.of(transaction, accounts, now));
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
    details,
  };
  const hidesNothing = event.context.addressPrefix === null && event.digests === undefined;
  const { columns: logged, sealed } = hidesNothing
    ? { columns, sealed: null }
    : await withOpening(transaction, people, event, columns, pseudonyms, now);
  const json = waitingJson(logged);
  refuseUnloggable(logged, json);

  // Constants, so that the statement can share a round trip with the commit; it is planned faster than parameters would be bound.
  const stored = sealed === null ? 'null' : `'\\x${sealed}'`;
  const about = personOf(logged);
  const subject = about === null ? 'null' : textLiteral(about);
  await postpone(transaction, `insert into audit_inbox values (${textLiteral(json)}, ${subject}, ${stored})`);
}

/** The columns with what they commit to, and what opens it; without either where those it is about are or were just being forgotten. */
async function withOpening(
  transaction: Transaction,
  people: People,
  { context, digests, details }: AuditEvent,
  columns: EventColumns,
  pseudonyms: ReadonlyMap<Uuid, string>,
  now: number,
): Promise<{ readonly columns: EventColumns; readonly sealed: string | null }> {
  const value = context.addressPrefix;
  const opensDigests = digests?.before !== undefined || digests?.after !== undefined ? true : undefined;
  const named = openingHolders(columns, opensDigests);
  const known: Holder[] = [];
  if (named[0] === NOBODY) known.push({ person: NOBODY, account: null });
  for (const [account, person] of pseudonyms) {
    if (!named.includes(person) || people.pseudonyms.isForgotten(transaction, account)) continue;
    known.push({ person, account });
  }
  const keys = people.openings.remembered(known, now) ?? (await people.openings.forWriting(transaction, known, now));
  // A hold and a period are those of a tenant and a type.
  const kept = `${columns.tenantId ?? ''} ${people.events.get(columns.type)?.retention ?? columns.type}`;
  // The salt of the address is that of the digests too; without an address the opening is there for them alone.
  const opening = people.openings.prepare(named, keys, { value: value ?? '', kept, now });
  if (opening !== undefined) {
    const { salt, commitment, sealed } = opening;
    const open =
      digests === undefined ? columns.details : canonicalDetails({ ...details, ...committed(salt, digests) });
    return { columns: { ...columns, addressCommitment: commitment, details: open }, sealed };
  }
  // What is about somebody who is forgotten is left out; the address may still be somebody else's.
  const rest =
    digests === undefined || value === null
      ? undefined
      : people.openings.prepare(openingHolders(columns), keys, { value, kept, now });
  if (rest === undefined) return { columns, sealed: null };
  return { columns: { ...columns, addressCommitment: rest.commitment }, sealed: rest.sealed };
}

const committed = (salt: Uint8Array, { before, after }: ChangeDigests) => ({
  ...(before === undefined ? {} : { beforeDigest: digestCommitment(salt, 'before', before) }),
  ...(after === undefined ? {} : { afterDigest: digestCommitment(salt, 'after', after) }),
});

/** A UTF-16 code unit takes at most three bytes of an entry, and everything else in it less than in JSON: an event up to here surely fits. */
const SURELY_FITS = Math.floor(MAXIMUM_ENTRY_LENGTH / 3) - 100;

const THREE_UUIDS = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} ){3}$/;

/** Throws where the sequencer would have to: an event that waits must never block the others. `json`: the event, as it waits. */
function refuseUnloggable(event: EventColumns, json: string): void {
  const { requestId, tenantId, sessionId } = event;
  // All that can be wrong with an entry, without making it: the other ids and the time were made here.
  const isSurelyLoggable =
    json.length <= SURELY_FITS &&
    !json.includes('\\u') &&
    THREE_UUIDS.test(`${requestId} ${tenantId ?? requestId} ${sessionId ?? requestId} `);
  if (isSurelyLoggable) return;
  refuseUnstorable(event);
  encodeEntry(event);
}

/** PostgreSQL keeps neither U+0000 nor half a surrogate pair in a text; `details` has both escaped. JSON escapes both. */
function refuseUnstorable({ type, reason, actorVia, objectType, objectId }: EventColumns): void {
  for (const text of [type, reason, actorVia, objectType, objectId]) {
    if (text !== null && (text.includes('\0') || !text.isWellFormed())) {
      throw new AuditLogError('audit-log.invalid-entry', { detail: 'Not storable.' });
    }
  }
}

/** Names the committed field in `audit_openings`. */
export const ADDRESS_PREFIX = 'address_prefix';
