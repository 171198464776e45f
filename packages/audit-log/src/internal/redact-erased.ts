/** People whose keys were destroyed elsewhere: by an erasure of keys, a deleted account, or since the backup that was restored. */
import type { Encryption } from '@strongroom/encryption';
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { People } from './append-event.ts';
import { redactSubject } from './redact-subject.ts';

/** People asked about at once. */
const BATCH = 1000;

interface Context {
  readonly encryption: Encryption;
  readonly people: People;
  /** Milliseconds. */
  readonly now: number;
}

export async function redactErased(
  transaction: Transaction,
  { encryption, people, now }: Context,
  accounts?: readonly Uuid[],
): Promise<number> {
  let count = 0;
  let last: Uuid | null = null;
  for (;;) {
    const page: readonly Uuid[] = await knownAfter(transaction, last, accounts);
    if (page.length === 0) return count;
    last = page.at(-1)!;
    const erased = await encryption.keyTree.shreddedOf(transaction, page);
    for (const account of erased) {
      if ((await redactSubject(transaction, people, account, now)) !== null) count += 1;
    }
  }
}

async function knownAfter(
  transaction: Transaction,
  last: Uuid | null,
  accounts: readonly Uuid[] | undefined,
): Promise<readonly Uuid[]> {
  const { rows } = await sql<{ account: Uuid }>`
    select account_id as account from audit_pseudonyms
    where (${last}::uuid is null or account_id > ${last}::uuid)
      and ${accounts === undefined ? sql`true` : sql`account_id = any(${accounts}::uuid[])`}
    order by account_id limit ${BATCH}`.execute(transaction);
  return rows.map(({ account }) => account);
}
