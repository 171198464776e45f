/** Who is whom in the log: pseudonyms that this process met lately, so that writing an event need not look them up. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { Remembered, REMEMBERED } from './remembered.ts';

export class Pseudonyms {
  readonly #known = new Remembered<string>();
  readonly #forgotten = new WeakMap<Transaction, Set<Uuid>>();

  /** All pseudonyms of the accounts where it takes no statement; `undefined` when one of them is not remembered. */
  remembered(accounts: readonly Uuid[], now: number): ReadonlyMap<Uuid, string> | undefined {
    const found = new Map<Uuid, string>();
    for (const account of accounts) {
      const known = this.#known.get(account, now);
      if (known === undefined) return undefined;
      found.set(account, known);
    }
    return found;
  }

  /** All pseudonyms of the accounts; those who have none get one in the transaction. `now`: milliseconds. */
  async of(transaction: Transaction, accounts: readonly Uuid[], now: number): Promise<ReadonlyMap<Uuid, string>> {
    const found = new Map<Uuid, string>();
    const unknown = new Set<Uuid>();
    for (const account of accounts) {
      const known = this.#known.get(account, now);
      if (known === undefined) unknown.add(account);
      else found.set(account, known);
    }
    if (unknown.size === 0) return found;
    // Only what was committed before is remembered. A row of this very transaction, whose age is 0 or less, may still be rolled back.
    const { rows } = await sql<{ account: Uuid; pseudonym: string; is_settled: boolean }>`
      select account_id as account, pseudonym, age(xmin) > 0 as is_settled from audit_pseudonyms
      where account_id = any(${[...unknown]}::uuid[])`.execute(transaction);
    for (const { account, pseudonym, is_settled } of rows) {
      found.set(account, pseudonym);
      unknown.delete(account);
      if (is_settled) this.#known.set(account, pseudonym, now + REMEMBERED);
    }
    for (const account of unknown) {
      const made = await sql<{ pseudonym: string }>`
        select audit_pseudonym(${account}::uuid) as pseudonym`.execute(transaction);
      found.set(account, made.rows[0]!.pseudonym);
    }
    return found;
  }

  /** The account was forgotten in this transaction. Of what it still records nothing more may be kept than the former pseudonym. */
  forget(transaction: Transaction, account: Uuid): void {
    this.#known.delete(account);
    const accounts = this.#forgotten.get(transaction) ?? new Set();
    this.#forgotten.set(transaction, accounts.add(account));
  }

  isForgotten(transaction: Transaction, account: Uuid): boolean {
    return this.#forgotten.get(transaction)?.has(account) === true;
  }
}
