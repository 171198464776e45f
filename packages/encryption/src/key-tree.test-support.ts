/** An empty key tree for every test, people in it, and what somebody sees who kept its rows. */
import { join } from 'node:path';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, inInstallation, type Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import type { TestEngine } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { fileSlot } from './file-slot.ts';
import { everyReachableSubject, type KeptRows } from './internal/tree/attacker.test-support.ts';
import { RootKeyring } from './internal/root-keyring.ts';
import { manifest } from './manifest.ts';
import type { Place } from './place.ts';
import type { RootSlot } from './root-slot.ts';

export const placeOf = (subject: Uuid): Place => ({
  tenant: null,
  table: 'accounts',
  column: 'email',
  row: subject,
  subject,
});

/** Empties the tree by putting fresh tables in place of the used ones; the ledger stays, as always. */
async function emptyTree(database: Database): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    await sql`delete from subject_keys`.execute(transaction);
    await sql`delete from key_nodes where level = 1`.execute(transaction);
    await sql`delete from key_nodes`.execute(transaction);
    await sql`delete from key_tree`.execute(transaction);
  });
}

export async function sealFor(
  database: Database,
  encryption: Encryption,
  subjects: readonly Uuid[],
): Promise<Uint8Array[]> {
  return database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, subjects, { create: true });
    return subjects.map((subject) => keys.seal(placeOf(subject), `about ${subject}`));
  });
}

/** For each person: readable, erased, or the code of another error. */
export async function reading(
  database: Database,
  encryption: Encryption,
  subjects: readonly Uuid[],
  values: readonly Uint8Array[],
): Promise<string[]> {
  return database.transaction(inInstallation, async (transaction) => {
    const keys = await encryption.subjects(transaction, subjects);
    return subjects.map((subject, index) => {
      try {
        const text = keys.openText(placeOf(subject), values[index]!);
        return text === `about ${subject}` ? 'readable' : 'wrong';
      } catch (error) {
        return error instanceof EncryptionError ? error.code : String(error);
      }
    });
  });
}

export const people = (count: number): Uuid[] => Array.from({ length: count }, () => newUuid());
export const erased = 'encryption.subject-erased';

/** A slot that fails when told to, in front of a real one. */
export function breakable(slot: RootSlot): RootSlot & { fails: 'no' | 'before' | 'after' | 'dead' } {
  const broken = (): Promise<never> => Promise.reject(new EncryptionError('encryption.root-unavailable'));
  return {
    ...slot,
    fails: 'no',
    load() {
      return this.fails === 'dead' ? broken() : slot.load();
    },
    async store(material, replaces) {
      if (this.fails === 'before' || this.fails === 'dead') await broken();
      await slot.store(material, replaces);
      if (this.fails === 'after') await broken();
    },
  };
}

export interface Tree {
  readonly database: Database;
  /** Of the root file. */
  readonly path: string;
  readonly encryption: Encryption;
}

/** Call it in a `describe`: the function empties the database's tree and makes another root. */
export function treesOn(engine: TestEngine): () => Promise<Tree> {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open([manifest]);
  });
  return async () => {
    await emptyTree(database);
    const path = join(temporaryFolder(), 'root');
    return { database, path, encryption: await createEncryption({ slot: fileSlot(path) }) };
  };
}

/** What a backup, a write-ahead log or a replica keeps. */
export const keepRows = (database: Database): Promise<KeptRows> =>
  database.transaction(asSystem, async (transaction) => {
    const nodes = await sql<
      KeptRows['nodes'][number]
    >`select id, parent, wrapped, version, level from key_nodes`.execute(transaction);
    const subjects = await sql<KeptRows['subjects'][number]>`
      select subject as id, leaf as parent, wrapped, version from subject_keys`.execute(transaction);
    const tree = await sql<{ version: number }>`select version from key_tree`.execute(transaction);
    return { nodes: nodes.rows, subjects: subjects.rows, version: tree.rows[0]!.version };
  });

/** Puts kept nodes back, as restoring a whole database would. */
export async function putRows(database: Database, kept: KeptRows): Promise<void> {
  await database.transaction(asSystem, async (transaction) => {
    for (const { id, wrapped, version } of kept.nodes) {
      await sql`update key_nodes set wrapped = ${wrapped}, version = ${version} where id = ${id}`.execute(transaction);
    }
    await sql`update key_tree set version = ${kept.version}, acknowledged_version = ${kept.version}`.execute(
      transaction,
    );
  });
}

/** Whom somebody can read who has this root file, all these rows in any combination, and all values. */
export async function openAll(
  path: string,
  kept: readonly KeptRows[],
  subjects: readonly Uuid[],
  values: readonly Uint8Array[],
): Promise<Set<Uuid>> {
  const stored = await fileSlot(path).load();
  const reachable = everyReachableSubject(RootKeyring.decode(stored!.material), kept);
  const opened = subjects.filter((subject, index) =>
    reachable(subject).some((keys) => {
      try {
        return keys.openText(placeOf(subject), values[index]!) === `about ${subject}`;
      } catch {
        return false;
      }
    }),
  );
  return new Set(opened);
}
