/**
 * The keys that openings are encrypted with: one for each person, wrapped under that person's own key, and one for events about nobody, wrapped under the
 * installation's. Whoever destroys a person's key thereby closes every opening of theirs, wherever its bytes survive.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Encryption, EncryptionError, type EncryptionErrorCode, type SubjectKeys } from '@strongroom/encryption';
import { equalBytes, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { type EventColumns, holdersOf, type Opening, opens } from '../entry.ts';
import {
  commonKey,
  isSealed,
  KEY_LENGTH,
  type OpenedSeeds,
  openOpening,
  type OpeningPlace,
  UNREADABLE,
} from './opening.ts';
import { OpeningSupplies, prepareOpening, type PreparedOpening } from './opening-supply.ts';
import { Remembered, REMEMBERED } from './remembered.ts';

/** In place of a pseudonym, for events that no account did and that are about nobody: a failed sign-in under an unknown name. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Somebody whose key is needed. */
export interface Holder {
  /** Their pseudonym, or `NOBODY`. */
  readonly person: string;
  readonly account: Uuid | null;
}

interface Row {
  readonly person: string;
  readonly account: Uuid | null;
  readonly sealed_key: Uint8Array;
  readonly is_settled: boolean;
}

interface Known {
  readonly key: KeyObject;
  readonly sealed: Uint8Array;
}

/** By person; none for those who have none. `erased`: it is destroyed. */
export type ReadingKeys = ReadonlyMap<string, KeyObject | 'erased'>;

/** `erased`: the key of somebody it was encrypted for is destroyed. */
export type ReadOpening = (event: EventColumns, stored: Uint8Array) => Opening | 'erased';

/** Whose keys are needed to open what was stored with these events. */
export function peopleBehind(
  stored: Iterable<{ readonly event: EventColumns; readonly opening: Uint8Array }>,
): readonly string[] {
  const people = new Set<string>();
  for (const { event, opening } of stored) {
    if (isSealed(opening)) for (const person of openingHolders(event)) people.add(person);
  }
  return [...people];
}

export const openWith =
  (keys: ReadingKeys, seeds: OpenedSeeds = new Map()): ReadOpening =>
  (event, opening) => {
    if (!isSealed(opening)) return openOpening(undefined, placeOf(event), opening);
    const needed: KeyObject[] = [];
    for (const person of openingHolders(event)) {
      const key = keys.get(person);
      if (key === 'erased') return 'erased';
      if (key === undefined) return UNREADABLE;
      needed.push(key);
    }
    const opened = openOpening(commonKey(needed), placeOf(event), opening, seeds);
    return event.addressCommitment !== null && opens(event.addressCommitment, opened) ? opened : UNREADABLE;
  };

/** What opening a value throws that is not one, or no longer the one it was. */
const DAMAGE: ReadonlySet<EncryptionErrorCode> = new Set([
  'encryption.cannot-open',
  'encryption.unknown-version',
  'encryption.key-missing',
]);

const place = (person: string, account: Uuid | null) => ({
  tenant: null,
  table: 'audit_opening_keys',
  column: 'sealed_key',
  row: person,
  subject: account,
});

/** Whose keys the opening of this event is encrypted with. `opensDigests`: as in `holdersOf`. */
export function openingHolders(event: EventColumns, opensDigests?: boolean): readonly string[] {
  const holders = holdersOf(event, opensDigests);
  return holders.length === 0 ? [NOBODY] : holders;
}

export const placeOf = ({ eventId, tenantId }: EventColumns): OpeningPlace => ({ eventId, tenantId });

/** People with supplies: about 15 KB each while they are busy in one place. */
const SUPPLIES = 1000;

export class OpeningKeys {
  readonly #encryption: Encryption;
  readonly #known = new Remembered<Known>();
  readonly #supplies = new Remembered<OpeningSupplies>(SUPPLIES);

  constructor(encryption: Encryption) {
    this.#encryption = encryption;
  }

  /**
   * The keys to write with, by pseudonym; those who have none get one, in this transaction. Missing are people who were erased: nothing about them can be
   * kept any more. A key that is remembered costs no statement, and may outlive the erasure for as long as it is: what is encrypted with it then, nobody
   * can read. `now`: milliseconds.
   */
  async forWriting(
    transaction: Transaction,
    holders: readonly Holder[],
    now: number,
  ): Promise<ReadonlyMap<string, KeyObject>> {
    const found = new Map<string, KeyObject>();
    const unknown = new Map<string, Uuid | null>();
    for (const { person, account } of holders) {
      const known = this.#known.get(person, now);
      if (known === undefined) unknown.set(person, account);
      else found.set(person, known.key);
    }
    if (unknown.size === 0) return found;
    const rows = await readRows(transaction, [...unknown.keys()]);
    const keys = await this.#subjects(transaction, [...unknown.values()]);
    for (const row of rows) {
      const known = this.#open(keys, row);
      unknown.delete(row.person);
      if (known === 'erased') continue;
      found.set(row.person, known.key);
      // Only what was committed before: a row of this very transaction may still be rolled back.
      if (row.is_settled) this.#known.set(row.person, known, now + REMEMBERED);
    }
    for (const [person, account] of unknown) {
      if (account !== null && !keys.has(account)) continue;
      const key = await this.#create(transaction, keys, person, account);
      if (key !== undefined) found.set(person, key);
    }
    return found;
  }

  /** The same where it takes no statement; `undefined` when one of them is not remembered. */
  remembered(holders: readonly Holder[], now: number): ReadonlyMap<string, KeyObject> | undefined {
    const found = new Map<string, KeyObject>();
    for (const { person } of holders) {
      const known = this.#known.get(person, now);
      if (known === undefined) return undefined;
      found.set(person, known.key);
    }
    return found;
  }

  /**
   * A commitment to the value and what opens it, under the keys of these people; `undefined` when one of them has none. `keys`: of `forWriting`. `kept`: the same
   * for events that are kept equally long.
   */
  prepare(
    people: readonly string[],
    keys: ReadonlyMap<string, KeyObject>,
    { value, kept, now }: { readonly value: string; readonly kept: string; readonly now: number },
  ): PreparedOpening | undefined {
    const needed: KeyObject[] = [];
    for (const person of people) {
      const key = keys.get(person);
      if (key === undefined) return undefined;
      needed.push(key);
    }
    const [person] = people;
    if (person === undefined || people.length > 1) return prepareOpening(commonKey(needed), value);
    const [key] = needed;
    let supplies = this.#supplies.get(person, now);
    if (supplies === undefined || supplies.key !== key) {
      supplies = new OpeningSupplies(key!);
      this.#supplies.set(person, supplies, now + REMEMBERED);
    }
    return supplies.next(value, kept);
  }

  /** The keys to open what these people's events were stored with. Two statements when there is anybody, whatever is remembered. */
  async forReading(transaction: Transaction, people: readonly string[]): Promise<ReadingKeys> {
    return people.length === 0 ? new Map<string, never>() : this.#read(transaction, people);
  }

  /** The person was forgotten: their wrapped key went with their pseudonym. */
  forget(person: string): void {
    this.#known.delete(person);
    this.#supplies.delete(person);
  }

  async #read(transaction: Transaction, people: readonly string[]): Promise<ReadingKeys> {
    const rows = await readRows(transaction, people);
    const accounts = rows.flatMap(({ account }) => account ?? []);
    const keys = await this.#encryption.subjects(transaction, accounts);
    const gone = accounts.filter((account) => !keys.has(account));
    // A key that is merely missing is damage; one in the ledger of the erased is not.
    const erased = gone.length === 0 ? new Set() : await this.#encryption.keyTree.shreddedOf(transaction, gone);
    const found = new Map<string, KeyObject | 'erased'>();
    for (const row of rows) {
      const known = this.#openOrDamaged(keys, row);
      if (known === 'damaged') continue;
      if (known !== 'erased') found.set(row.person, known.key);
      else if (row.account !== null && erased.has(row.account)) found.set(row.person, 'erased');
    }
    return found;
  }

  /** What was tampered with is for verification to find, not to stumble over. */
  #openOrDamaged(keys: SubjectKeys, row: Row): Known | 'erased' | 'damaged' {
    try {
      return this.#open(keys, row);
    } catch (error) {
      if (error instanceof EncryptionError && DAMAGE.has(error.code)) return 'damaged';
      throw error;
    }
  }

  #open(keys: SubjectKeys, row: Row): Known | 'erased' {
    if (row.account !== null && !keys.has(row.account)) return 'erased';
    const known = this.#known.peek(row.person);
    // The wrapped key was just read, and its person is there: only now does what is remembered count.
    if (known !== undefined && equalBytes(known.sealed, row.sealed_key)) return known;
    const bytes = keys.open(place(row.person, row.account), row.sealed_key);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return { key, sealed: row.sealed_key };
  }

  async #create(
    transaction: Transaction,
    keys: SubjectKeys,
    person: string,
    account: Uuid | null,
  ): Promise<KeyObject | undefined> {
    const bytes = randomBytes(KEY_LENGTH);
    const sealed = keys.seal(place(person, account), bytes);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    const inserted =
      account === null
        ? sql`insert into audit_opening_keys (person, sealed_key) values (${person}::uuid, ${sealed})`
        : sql`insert into audit_opening_keys (person, pseudonym, account_id, sealed_key)
            select pseudonym, pseudonym, account_id, ${sealed}::bytea from audit_pseudonyms
            where pseudonym = ${person}::uuid and account_id = ${account}::uuid`;
    const { numAffectedRows } = await sql`${inserted} on conflict (person) do nothing`.execute(transaction);
    if (numAffectedRows !== 0n) return key;
    // Another transaction was first, and is committed by now; or the person was forgotten while this process still knew them.
    const [row] = await readRows(transaction, [person]);
    const known = row === undefined ? 'erased' : this.#open(keys, row);
    return known === 'erased' ? undefined : known.key;
  }

  /** The people's own keys; who has none gets one, unless they were erased. */
  async #subjects(transaction: Transaction, wanted: readonly (Uuid | null)[]): Promise<SubjectKeys> {
    const accounts = wanted.filter((account) => account !== null);
    const keys = await this.#encryption.subjects(transaction, accounts);
    const missing = accounts.filter((account) => !keys.has(account));
    if (missing.length === 0) return keys;
    const erased = await this.#encryption.keyTree.shreddedOf(transaction, missing);
    await this.#encryption.subjects(
      transaction,
      missing.filter((account) => !erased.has(account)),
      { create: true },
    );
    return this.#encryption.subjects(transaction, accounts);
  }
}

async function readRows(transaction: Transaction, people: readonly string[]): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    select person, account_id as account, sealed_key, age(xmin) > 0 as is_settled from audit_opening_keys
    where person = any(${people}::uuid[])`.execute(transaction);
  return rows;
}
