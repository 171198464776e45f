/**
 * One row says which installation this database belongs to, and carries a keyed hash by which the wrong root key is noticed before
 * anything is written under it.
 */
import type { Encryption } from '@strongroom/encryption';
import {
  type Clock,
  type Manifest,
  type Uuid,
  defineDataMap,
  equalBytes,
  newUuid,
  operational,
  utf8,
} from '@strongroom/kernel';
import { type Database, type Transaction, asSystem } from '@strongroom/storage';
import { CompositionError } from './errors.ts';

/** A type alias: Kysely wants one that is assignable to a record. */
type InstallationTables = {
  installation: { id: Uuid; key_check: Uint8Array; created_at: Date };
};

export const manifest = {
  name: 'installation',
  migrations: [
    {
      name: '0001-installation',
      sql: `
create table installation (
  id uuid primary key,
  key_check bytea not null,
  created_at timestamptz not null,
  -- there is only one
  single boolean not null default true unique check (single)
);
`,
    },
  ],
  dataMap: defineDataMap({
    installation: {
      scope: 'installation',
      columns: { id: operational, key_check: operational, created_at: operational, single: operational },
    },
  }),
} as const satisfies Manifest;

const KEY_CHECK_PURPOSE = 'installation.key-check';

const tables = (transaction: Transaction) => transaction.$extendTables<InstallationTables>();

const readRow = (transaction: Transaction) =>
  tables(transaction).selectFrom('installation').select(['id', 'key_check']).executeTakeFirst();

/** True when this database was used before, so that its root key must exist. */
export const isInstalled = async (database: Database): Promise<boolean> =>
  (await database.transaction(asSystem, readRow)) !== undefined;

/** Throws `strongroom.wrong-root-key` when the transaction sees a row that was written under another root key, or none. */
export async function checkRootKey(transaction: Transaction, encryption: Encryption): Promise<void> {
  const row = await readRow(transaction);
  if (row === undefined || !equalBytes(row.key_check, encryption.keyedHash(KEY_CHECK_PURPOSE, utf8(row.id)))) {
    throw new CompositionError('strongroom.wrong-root-key');
  }
}

/** Writes the row at the first start, compares it at later ones. Throws `strongroom.wrong-root-key`. */
export async function checkInstallation(database: Database, encryption: Encryption, clock: Clock): Promise<Uuid> {
  const row = await database.transaction(asSystem, async (transaction) => {
    const id = newUuid(clock.now());
    await tables(transaction)
      .insertInto('installation')
      .values({ id, key_check: encryption.keyedHash(KEY_CHECK_PURPOSE, utf8(id)), created_at: new Date(clock.now()) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return readRow(transaction);
  });
  if (row === undefined) throw new CompositionError('strongroom.not-ready');
  if (!equalBytes(row.key_check, encryption.keyedHash(KEY_CHECK_PURPOSE, utf8(row.id)))) {
    throw new CompositionError('strongroom.wrong-root-key');
  }
  return row.id;
}
