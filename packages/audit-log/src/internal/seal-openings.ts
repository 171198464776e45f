/** Openings of the time before they were encrypted. */
import { isUuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { commonKey, openOpening, sealOpening } from './opening.ts';
import { type Holder, NOBODY, openingHolders, type OpeningKeys, placeOf } from './opening-keys.ts';
import { eventColumns, eventJson, type EventJson } from './read-events.ts';

/** Values of one transaction. */
export const SEALED_AT_ONCE = 500;

/**
 * Encrypts up to `SEALED_AT_ONCE` of them. Those about people who were erased are deleted: their redaction is due, and explains it. What belongs to no
 * event, or to nobody who is known, stays as it is, for verification to find.
 */
export async function sealOpenings(transaction: Transaction, keys: OpeningKeys, now: number): Promise<number> {
  const { rows } = await sql<{ event: string; opening: Uint8Array }>`
    select ${eventJson}::text as event, o.opening from audit_openings as o join audit_events as e using (event_id)
    where substring(o.opening from 1 for 1) = '\\x00'::bytea
      and (o.subject is null or exists (select from audit_pseudonyms as p where p.pseudonym = o.subject))
    limit ${SEALED_AT_ONCE}::int`.execute(transaction);
  if (rows.length === 0) return 0;
  const found = rows.map(({ event, opening }) => ({ event: eventColumns(JSON.parse(event) as EventJson), opening }));
  const holders = await readHolders(
    transaction,
    found.flatMap(({ event }) => openingHolders(event)),
  );
  const usable = await keys.forWriting(transaction, holders, now);
  const sealed: { readonly id: string; readonly from: Uint8Array; readonly to: Uint8Array }[] = [];
  const closed: string[] = [];
  for (const { event, opening } of found) {
    const needed = openingHolders(event).map((person) => usable.get(person));
    if (needed.every((key) => key !== undefined)) {
      const to = sealOpening(commonKey(needed), openOpening(undefined, placeOf(event), opening));
      sealed.push({ id: event.eventId, from: opening, to });
    } else closed.push(event.eventId);
  }
  await sql`delete from audit_openings where event_id = any(${closed}::uuid[])`.execute(transaction);
  await sql`
    update audit_openings as o set opening = given.after
    from unnest(${sealed.map(({ id }) => id)}::uuid[], ${sealed.map(({ from }) => from)}::bytea[], ${sealed.map(({ to }) => to)}::bytea[])
      as given (id, before, after)
    where o.event_id = given.id and o.opening = given.before`.execute(transaction);
  return rows.length;
}

async function readHolders(transaction: Transaction, people: readonly string[]): Promise<readonly Holder[]> {
  const wanted = [...new Set(people)];
  const { rows } = await sql<Holder>`
    select pseudonym as person, account_id as account from audit_pseudonyms
    where pseudonym = any(${wanted}::uuid[])`.execute(transaction);
  const known = rows.filter(({ account }) => account !== null && isUuid(account));
  return wanted.includes(NOBODY) ? [...known, { person: NOBODY, account: null }] : known;
}
