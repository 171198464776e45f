/** A small vault whose root is in a file: people with one encrypted value each, a whole backup, and a folder for copies of the keys. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupSummary, createBackup, restoreBackup } from '@strongroom/backup';
import { createEncryption, type Encryption, fileSlot, manifest, type RootSlot } from '@strongroom/encryption';
import { defineDataMap, type Manifest, newUuid, personal, subject, systemClock, type Uuid } from '@strongroom/kernel';
import { type Database, inInstallation, type Location, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { KEY_TABLES } from './backups.ts';
import { newestCopy } from './key-copy-folder.ts';
import { createKeyCopies, type KeyCopies, type KeyCopyPlaces } from './key-copies.ts';

const people = {
  name: 'people',
  migrations: [{ name: '0001-people', sql: 'create table people (id uuid primary key, email bytea not null);' }],
  dataMap: defineDataMap({
    people: {
      scope: 'installation',
      columns: {
        id: subject,
        email: personal({
          category: 'user.contact.email',
          subject: 'id',
          purpose: 'Telling people apart',
          lawfulBasis: 'contract',
          retention: 'until the account is deleted',
          protection: 'encrypted',
        }),
      },
    },
  }),
} as const satisfies Manifest;

export const manifests = [manifest, people];

type Tables = { people: { id: Uuid; email: Uint8Array } };
const tables = (transaction: Transaction) => transaction.$extendTables<Tables>();
const placeOf = (id: Uuid) => ({ tenant: null, table: 'people', column: 'email', row: id, subject: id });

export interface House {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly keyCopies: KeyCopies;
  /** Copies that got an event. */
  readonly recorded: BackupSummary[];
}

/** `slot` is a file, or one that a test watches. */
export async function openHouse(database: Database, slot: RootSlot, places: KeyCopyPlaces): Promise<House> {
  const recorded: BackupSummary[] = [];
  const keyCopies = createKeyCopies({
    ...places,
    clock: systemClock,
    database,
    keyTree: () => encryption.keyTree,
    record: async (summary) => void recorded.push(summary),
  });
  const encryption: Encryption = await createEncryption({ slot, beforeReplacing: keyCopies.beforeReplacing });
  return { database, encryption, keyCopies, recorded };
}

export async function fill({ database, encryption }: House, count: number): Promise<readonly Uuid[]> {
  const ids = Array.from({ length: count }, () => newUuid());
  await database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, ids, { create: true });
    const rows = ids.map((id) => ({ id, email: keys.seal(placeOf(id), id) }));
    await tables(transaction).insertInto('people').values(rows).execute();
  });
  return ids;
}

/** Who can be read. Throws for a value that opens as somebody else's. */
export async function readable(transaction: Transaction, encryption: Encryption): Promise<readonly Uuid[]> {
  const rows = await tables(transaction).selectFrom('people').selectAll().orderBy('id').execute();
  const keys = await encryption.subjects(
    transaction,
    rows.map(({ id }) => id),
  );
  return rows.flatMap(({ id, email }) => {
    if (!keys.has(id)) return [];
    if (keys.openText(placeOf(id), email) !== id) throw new Error('not the same value');
    return [id];
  });
}

export const backUp = (database: Database, path: string, recipient: string): Promise<BackupSummary> =>
  createBackup({ database, path, recipients: [recipient], program: 'test' });

/** The machine is gone: who can be read from a backup, a root file and the copies of the keys? */
export async function restored(
  location: Location,
  { backup, root, copies, identity }: { backup: string; root: string; copies?: string | undefined; identity: string },
): Promise<readonly Uuid[]> {
  const encryption = await createEncryption({ slot: fileSlot(root), mustExist: true });
  const path = copies === undefined ? undefined : await newestCopy(copies);
  let found: readonly Uuid[] = [];
  await restoreBackup({
    path: backup,
    identities: [identity],
    location,
    manifests,
    instead: path === undefined ? undefined : { path, tables: KEY_TABLES },
    check: async (transaction) => {
      await encryption.keyTree.realign(transaction);
      found = await readable(transaction, encryption);
    },
  });
  return found;
}

export const newFolder = (name: string): string => {
  const folder = join(temporaryFolder(), name);
  mkdirSync(folder);
  return folder;
};
