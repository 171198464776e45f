/**
 * Must-show 4 of issue 4, for the whole vault on both engines: people are erased, a backup from before is restored, and somebody who kept every file, every write-ahead
 * log, every backup and every wrapped key as it ever was, but not the overwritten root, reads nothing of the erased and everything of the others.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBackup, generateIdentity } from '@strongroom/backup';
import { createEncryption, type Encryption, fileSlot, type RootSlot } from '@strongroom/encryption';
import { newUuid, systemClock, type Uuid } from '@strongroom/kernel';
import {
  asSystem,
  type Database,
  inInstallation,
  type Location,
  openDatabase,
  type Transaction,
} from '@strongroom/storage';
import { figure, filesBelow, needs, type PostgresCluster, startPostgres, temporaryFolder } from '@strongroom/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { checkInstallation } from './installation.ts';
import { createKeyCopies } from './key-copies.ts';
import { newFolder } from './key-copies.test-support.ts';
import { restoreVault } from './restore-vault.ts';
import { rooms } from './rooms.ts';
import { attack, type Loot, type ValuePlace, withoutPageHeaders } from './vault-erasure.attacker.test-support.ts';

/** More than one leaf of the key tree. */
const PEOPLE = 150;
/** Erased in two batches, so that there are three roots. */
const ERASED = 12;
const COLUMNS = ['email', 'display_name', 'private_key', 'account_key_by_password', 'account_key_by_recovery'] as const;

type Sealed = Readonly<Record<(typeof COLUMNS)[number], Uint8Array>>;
interface Row extends Sealed {
  readonly id: Uuid;
  readonly email_index: Uint8Array;
  readonly verifier: Uint8Array;
  readonly recovery_verifier: Uint8Array;
  readonly salt: Uint8Array;
  readonly parameters: string;
  readonly public_key: Uint8Array;
  readonly created_at: Date;
}
const accounts = (transaction: Transaction) => transaction.$extendTables<{ accounts: Row; key_nodes: { id: Uuid } }>();
const placeOf = (column: string, id: Uuid) => ({ tenant: null, table: 'accounts', column, row: id, subject: id });

let cluster: PostgresCluster | undefined;
afterAll(() => cluster?.stop());

interface Engine {
  readonly name: string;
  readonly available: boolean;
  location(folder: string): Promise<Location>;
  /** All bytes of the database, taken away while nobody writes. */
  files(location: Location): Promise<string>;
}

const engines: readonly Engine[] = [
  {
    name: 'PGlite',
    available: true,
    location: async (folder) => ({ kind: 'folder', path: join(folder, 'database'), durability: 'durable' }),
    files: async (location) => (location.kind === 'folder' ? location.path : ''),
  },
  {
    name: 'PostgreSQL',
    available: needs('postgresql'),
    async location() {
      if (cluster === undefined) {
        cluster = await startPostgres({ isDurable: true });
        // Every segment that ever was stays in pg_wal.
        await cluster.superuser(`alter system set wal_keep_size = '4GB'`);
        await cluster.superuser('select pg_reload_conf()');
      }
      const url = await cluster.freshDatabase();
      return { kind: 'postgresql', url, ownerUrl: url };
    },
    async files() {
      await cluster!.superuser('checkpoint');
      return cluster!.superuser('show data_directory');
    },
  },
];

/** As an editor saves, or a database: what it replaces is still on the disk. */
function keepingSlot(path: string, kept: string): RootSlot {
  const file = fileSlot(path);
  return {
    ...file,
    store: async (material, replaces) => {
      if (existsSync(path)) appendFileSync(kept, readFileSync(path));
      await file.store(material, replaces);
    },
  };
}

async function fill(database: Database, encryption: Encryption): Promise<readonly Uuid[]> {
  const ids = Array.from({ length: PEOPLE }, () => newUuid());
  await database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, ids, { create: true });
    for (const id of ids) {
      const sealed = COLUMNS.map((column) => [column, keys.seal(placeOf(column, id), `${column} of ${id}`)]);
      const row = {
        ...(Object.fromEntries(sealed) as Sealed),
        id,
        email_index: randomBytes(32),
        verifier: randomBytes(32),
        recovery_verifier: randomBytes(32),
        salt: randomBytes(16),
        parameters: '{}',
        public_key: randomBytes(32),
        created_at: new Date(),
      };
      await accounts(transaction).insertInto('accounts').values(row).execute();
    }
  });
  return ids;
}

/** Values that open, by person. */
async function readable(database: Database, encryption: Encryption): Promise<ReadonlyMap<Uuid, number>> {
  return database.transaction(asSystem, async (transaction) => {
    const rows = await accounts(transaction).selectFrom('accounts').selectAll().execute();
    const people = rows.map(({ id }) => id);
    const keys = await encryption.subjects(transaction, people);
    const opened = (row: Row) =>
      COLUMNS.filter(
        (column) =>
          keys.has(row.id) && keys.openText(placeOf(column, row.id), row[column]) === `${column} of ${row.id}`,
      ).length;
    return new Map(rows.map((row) => [row.id, opened(row)]));
  });
}

/** What a backup says, with the bytes that stand in it as base64. */
function contentOf(backup: string, identity: string): Buffer[] {
  const text = execFileSync('age', ['-d', '-i', identity, backup], { maxBuffer: 2 ** 28, encoding: 'utf8' });
  const bytes = [...text.matchAll(/"([A-Za-z0-9+/]{40,}={0,2})"/g)].map(([, base64]) => Buffer.from(base64!, 'base64'));
  return [Buffer.from(text), Buffer.concat(bytes)];
}

const megabytes = (parts: readonly Buffer[]): string =>
  (parts.reduce((sum, { length }) => sum + length, 0) / 2 ** 20).toFixed(0);

for (const engine of engines) {
  describe.skipIf(!engine.available || !needs('age'))(`people erased from a vault on ${engine.name}`, () => {
    for (const build of ['as it is', 'that does not overwrite the root'] as const) {
      it(`in a build ${build}`, { timeout: 600_000 }, async () => {
        const data = temporaryFolder();
        mkdirSync(join(data, 'keys'));
        const [root, kept] = [join(data, 'keys', 'root'), join(data, 'keys', 'root.kept')];
        const who = await generateIdentity('x25519');
        const identity = join(temporaryFolder(), 'identity');
        writeFileSync(identity, `${who.identity}\n`);
        const copies = newFolder('copies');
        const location = await engine.location(data);
        const loot: Buffer[] = [];
        let logged = 0;
        const backups: string[] = [];

        const inVault = async <Result>(
          work: (
            database: Database,
            encryption: Encryption,
            erase: (people: readonly Uuid[]) => Promise<void>,
          ) => Promise<Result>,
        ): Promise<Result> => {
          const database = await openDatabase(location, rooms);
          try {
            const keyCopies = createKeyCopies({
              database,
              clock: systemClock,
              folders: [copies],
              recipients: [who.recipient],
              keyTree: () => encryption.keyTree,
              record: async () => undefined,
            });
            const slot = build === 'as it is' ? fileSlot(root) : keepingSlot(root, kept);
            const { beforeReplacing } = keyCopies;
            const encryption: Encryption = await createEncryption({ slot, beforeReplacing });
            await checkInstallation(database, encryption, systemClock);
            const erase = async (people: readonly Uuid[]): Promise<void> => {
              await database.transaction(asSystem, (transaction) =>
                accounts(transaction).deleteFrom('accounts').where('id', 'in', people).execute(),
              );
              const report = await keyCopies.around(undefined, () => encryption.keyTree.shred(database, people));
              expect(report).toMatchObject({ shredded: people.length, complete: true });
            };
            return await work(database, encryption, erase);
          } finally {
            await database.close();
          }
        };
        /** Takes away whatever is there now: files of the database with their logs, a backup, the copies of the keys. */
        const keep = async (): Promise<void> => {
          const away = join(temporaryFolder(), 'files');
          cpSync(await engine.files(location), away, { recursive: true, filter: (file) => !file.endsWith('.pid') });
          for (const file of filesBelow(away)) {
            const bytes = readFileSync(file);
            loot.push(bytes);
            if (!/pg_wal/.test(file)) continue;
            loot.push(withoutPageHeaders(bytes));
            logged += bytes.length;
          }
          for (const file of filesBelow(copies)) loot.push(...contentOf(file, identity));
        };
        const backUp = async (database: Database): Promise<void> => {
          const path = join(temporaryFolder(), 'whole.age');
          await createBackup({ database, path, recipients: [who.recipient], program: 'test' });
          loot.push(...contentOf(path, identity));
          backups.push(path);
        };

        const people = await inVault(async (database, encryption) => {
          const ids = await fill(database, encryption);
          await backUp(database);
          return ids;
        });
        await keep();
        const [gone, rest] = [people.slice(0, ERASED), people.slice(ERASED)];
        await inVault(async (database, _encryption, erase) => {
          await erase(gone.slice(0, ERASED / 2));
          await backUp(database);
        });
        await keep();
        const nodes = await inVault(async (database, _encryption, erase) => {
          await erase(gone.slice(ERASED / 2));
          return database.transaction(asSystem, (transaction) =>
            accounts(transaction).selectFrom('key_nodes').select('id').execute(),
          );
        });
        await keep();
        // Whoever has the root of today has the slot as it lies on the disk, and everything that lies beside it.
        for (const file of filesBelow(join(data, 'keys'))) loot.push(readFileSync(file));

        // A backup from before, restored with what is there today.
        const restored = temporaryFolder();
        mkdirSync(join(restored, 'keys'), { mode: 0o700 });
        copyFileSync(root, join(restored, 'keys', 'root'));
        const place = await engine.location(restored);
        await restoreVault({
          data: restored,
          path: backups[0]!,
          identities: [who.identity],
          keys: copies,
          ...(place.kind === 'postgresql' ? { database: { url: place.url, ownerUrl: place.url } } : {}),
        });
        const database = await openDatabase(place, rooms);
        const here = await readable(
          database,
          await createEncryption({ slot: fileSlot(join(restored, 'keys', 'root')), mustExist: true }),
        );
        await database.close();
        expect([...here.keys()].toSorted()).toEqual(rest.toSorted());
        expect([...here.values()]).toEqual(rest.map(() => COLUMNS.length));

        const places = people.flatMap((id) =>
          COLUMNS.map((column): ValuePlace => ({ ...placeOf(column, id), tenant: '' })),
        );
        const all: Loot = { material: loot, nodes: nodes.map(({ id }) => id), places };
        const found = attack(all);
        const readOf = (ids: readonly Uuid[]): number => {
          const wanted = new Set<string>(ids);
          return [...found.read].filter((name) => wanted.has((JSON.parse(name) as string[])[2]!)).length;
        };
        expect(readOf(rest)).toBe(rest.length * COLUMNS.length);
        expect(logged).toBeGreaterThan(0);
        if (build === 'as it is') {
          expect(found).toMatchObject({ roots: 1 });
          expect(readOf(gone)).toBe(0);
          expect(gone.filter((id) => found.people.has(id))).toEqual([]);
        } else {
          expect(found.roots).toBe(3);
          expect(readOf(gone)).toBe(gone.length * COLUMNS.length);
        }
        figure(
          `${engine.name}, build ${build}: ${readOf(gone)} of ${gone.length * COLUMNS.length} values of the erased read and ` +
            `${readOf(rest)} of ${rest.length * COLUMNS.length} of the others, from ${megabytes(loot)} MB of files and backups, ${(logged / 2 ** 20).toFixed(0)} MB of them write-ahead log: ` +
            `${found.roots} roots, ${found.wrapped} wrapped keys and ${found.values} values that claim a key at hand, ${found.unwrapped} keys opened`,
        );
      });
    }
  });
}
