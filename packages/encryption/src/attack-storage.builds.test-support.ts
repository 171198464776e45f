/**
 * A clinic's records in two builds with the same tables: as this package keeps them, and as they are often kept. An attacker of stored data
 * gets everywhere with the second one; what stops them in the first is then no accident.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  defineDataMap,
  type Manifest,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  type Uuid,
} from '@strongroom/kernel';
import { asSystem, type Database, inTenant, tenantTable, type Transaction } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { sql } from 'kysely';
import type { Algorithm } from './algorithms.ts';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { manifest as encryptionManifest } from './manifest.ts';
import { normaliseEmail } from './normalise.ts';
import { rowCodec, sealed } from './row-codec.ts';

export const TABLES = ['patients', 'doctors'] as const;
export type Table = (typeof TABLES)[number];

const columns = {
  tenant_id: operational,
  id: operational,
  revision: operational,
  person: subject,
  email: personal({
    subject: 'person',
    category: 'user.contact.email',
    purpose: 'reaching people',
    lawfulBasis: 'contract',
    retention: 'ten years',
    protection: 'encrypted',
    blindIndex: 'email_index',
  }),
  email_index: secret('hashed'),
  note: personal({
    subject: 'person',
    category: 'user.content',
    purpose: 'treatment',
    lawfulBasis: 'contract',
    retention: 'ten years',
    protection: 'encrypted',
  }),
} as const;
const dataMap = defineDataMap({
  patients: { scope: 'tenant', columns },
  doctors: { scope: 'tenant', columns },
  weak_keys: { scope: 'installation', columns: { person: subject, wrapped: secret('encrypted') } },
});

const tableSql = (name: Table): string =>
  `create table ${name} (tenant_id uuid not null, id uuid primary key, revision bigint not null, person uuid not null,
    email bytea, email_index bytea, note bytea);
  ${tenantTable(name)}`;

const manifest: Manifest = {
  name: 'clinic',
  migrations: [
    {
      name: '0001-clinic',
      sql: `${TABLES.map(tableSql).join('\n')} create table weak_keys (person uuid primary key, wrapped bytea not null);`,
    },
  ],
  dataMap,
};
export const manifests = [encryptionManifest, manifest];

export interface Place {
  readonly table: Table;
  readonly tenant: Uuid;
  readonly id: Uuid;
}
export interface RecordOf {
  readonly person: Uuid;
  readonly email: string;
  readonly note: string;
}

/** What a program does with its records; the attacker has the database, not this. */
export interface Build {
  /** What its values are encrypted with; `undefined`: the weakened build. */
  readonly algorithm: Algorithm | undefined;
  /** What of a stored note is no secret and the same in others: format, algorithm, version, commitments. Bytes. */
  readonly headerBytes: number;
  /** What the attacker writes in place of a value that was never encrypted. */
  readonly plaintext: (text: string) => Uint8Array;
  readonly write: (at: Place, record: RecordOf, revision: number) => Promise<void>;
  /** Throws for whatever it does not accept. */
  readonly read: (at: Place) => Promise<RecordOf>;
  readonly find: (table: Table, tenant: Uuid, email: string) => Promise<Uuid | undefined>;
  readonly forget: (person: Uuid) => Promise<void>;
  /** Another key version becomes the current one. */
  readonly rotate: () => Promise<void>;
}

interface Stored {
  readonly id: Uuid;
  readonly tenant_id: Uuid;
  readonly revision: number;
  readonly person: Uuid;
  readonly email: Uint8Array;
  readonly email_index: Uint8Array;
  readonly note: Uint8Array;
}

async function store(transaction: Transaction, table: Table, row: Stored): Promise<void> {
  await sql`insert into ${sql.table(table)} (tenant_id, id, revision, person, email, email_index, note) values (${row.tenant_id}, ${row.id},
      ${row.revision}, ${row.person}, ${row.email}, ${row.email_index}, ${row.note})
    on conflict (id) do update set revision = excluded.revision, email = excluded.email, email_index = excluded.email_index,
      note = excluded.note`.execute(transaction);
}

async function load(transaction: Transaction, table: Table, id: Uuid): Promise<Stored> {
  const { rows } = await sql<Stored>`select * from ${sql.table(table)} where id = ${id}`.execute(transaction);
  if (rows[0] === undefined) throw new Error('no such record');
  return rows[0];
}

/** `several`: every value is about the nurse as well. */
export async function strongBuild(database: Database, algorithm: Algorithm, several: boolean): Promise<Build> {
  const encryption = await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) });
  const nurse = newUuid();
  const cell = ({ table, tenant, id }: Place, revision: number, column: string) =>
    ({ tenant, table, column, row: `${id} ${revision}` }) as const;
  const codecOf = (table: Table) =>
    rowCodec(dataMap, table, {
      row: ['id', 'revision'],
      subject: 'person',
      columns: { email: sealed.text({ index: 'email_index', algorithm }), note: sealed.text({ algorithm }) },
    });
  const codecs = { patients: codecOf('patients'), doctors: codecOf('doctors') };
  const open = async (transaction: Transaction, table: Table, row: Stored): Promise<RecordOf> => {
    const { person, revision } = row;
    if (!several) {
      const [record] = await codecs[table].openAll(encryption, transaction, [row]);
      return { person, email: record!.email, note: record!.note };
    }
    const people = [person, nurse];
    const keys = await encryption.subjects(transaction, people);
    const text = (column: 'email' | 'note'): string =>
      Buffer.from(
        keys.openShared(people, cell({ table, tenant: row.tenant_id, id: row.id }, revision, column), row[column]),
      ).toString();
    return { person, email: text('email'), note: text('note') };
  };
  return {
    algorithm,
    headerBytes: several ? 6 + 1 + 2 * 92 + 32 : 6 + 32,
    plaintext: (text) => Buffer.from(text),
    write: (at, { person, email, note }, revision) =>
      database.transaction(inTenant(at.tenant), async (transaction) => {
        const keys = await encryption.subjects(transaction, [person, nurse], { create: true });
        const row = codecs[at.table]
          .with(keys)
          .seal({ tenant_id: at.tenant, id: at.id, revision, person, email, note });
        const shared = (column: string, text: string): Uint8Array =>
          keys.sealShared([person, nurse], cell(at, revision, column), text, algorithm);
        const values = several ? { email: shared('email', email), note: shared('note', note) } : undefined;
        await store(transaction, at.table, { ...row, ...values });
      }),
    read: ({ table, tenant, id }) =>
      database.transaction(inTenant(tenant), async (transaction) =>
        open(transaction, table, await load(transaction, table, id)),
      ),
    find: (table, tenant, email) =>
      database.transaction(inTenant(tenant), async (transaction) => {
        const index = codecs[table].blindIndex(encryption, 'email', tenant, email);
        const { rows } =
          await sql<Stored>`select * from ${sql.table(table)} where tenant_id = ${tenant} and email_index = ${index}`.execute(
            transaction,
          );
        if (rows[0] === undefined) return undefined;
        const found = await open(transaction, table, rows[0]);
        // The index says where to look; whether it is the one that was meant, only the value says.
        return normaliseEmail(found.email) === normaliseEmail(email) ? rows[0].id : undefined;
      }),
    forget: async (person) => {
      await encryption.keyTree.shred(database, several ? [person, nurse] : [person]);
    },
    rotate: async () => {
      // No other process has to learn of it first.
      await encryption.keyTree.rotate(database, { settle: 0 });
    },
  };
}

const CLEAR = 0;
const GCM = 1;
const CTR = 2;
const HEADER_BYTES = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with a key for each person, and what goes wrong around it: no context, keys wrapped without a place, the algorithm believed
 * from the value, values from before encryption passed through, one index key for everything, erasure by deleting the row of the key.
 */
export function weakBuild(database: Database): Build {
  const root = randomBytes(32);
  const indexKey = randomBytes(32);
  let version = 1;

  const encrypt = (key: Uint8Array, plaintext: Uint8Array): Buffer => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Uint8Array.of(GCM, version), nonce, cipher.getAuthTag(), ciphertext]);
  };
  const decrypt = (key: Uint8Array, value: Uint8Array): Buffer => {
    const body = Buffer.from(value).subarray(HEADER_BYTES);
    if (value[0] === CLEAR) return body;
    const nonce = body.subarray(0, NONCE_BYTES);
    if (value[0] === CTR) {
      const counter = Buffer.concat([nonce, Uint8Array.of(0, 0, 0, 2)]);
      return createDecipheriv('aes-256-ctr', key, counter).update(body.subarray(NONCE_BYTES));
    }
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(body.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  };
  const keyOf = async (transaction: Transaction, person: Uuid): Promise<Buffer> => {
    const { rows } = await sql<{ wrapped: Uint8Array }>`select wrapped from weak_keys where person = ${person}`.execute(
      transaction,
    );
    if (rows[0] === undefined) throw new Error('no key');
    return decrypt(root, rows[0].wrapped);
  };
  const indexOf = (email: string): Uint8Array =>
    new Uint8Array(createHmac('sha256', indexKey).update(normaliseEmail(email)).digest());
  return {
    algorithm: undefined,
    headerBytes: HEADER_BYTES,
    plaintext: (text) => Buffer.concat([Uint8Array.of(CLEAR, version), Buffer.from(text)]),
    write: ({ table, tenant, id }, { person, email, note }, revision) =>
      database.transaction(inTenant(tenant), async (transaction) => {
        await sql`insert into weak_keys values (${person}, ${encrypt(root, randomBytes(32))}) on conflict do nothing`.execute(
          transaction,
        );
        const key = await keyOf(transaction, person);
        await store(transaction, table, {
          id,
          tenant_id: tenant,
          revision,
          person,
          email: encrypt(key, Buffer.from(email)),
          email_index: indexOf(email),
          note: encrypt(key, Buffer.from(note)),
        });
      }),
    read: ({ table, tenant, id }) =>
      database.transaction(inTenant(tenant), async (transaction) => {
        const row = await load(transaction, table, id);
        const key = await keyOf(transaction, row.person);
        const text = (value: Uint8Array): string => decrypt(key, value).toString();
        return { person: row.person, email: text(row.email), note: text(row.note) };
      }),
    find: (table, tenant, email) =>
      database.transaction(inTenant(tenant), async (transaction) => {
        const { rows } =
          await sql<Stored>`select * from ${sql.table(table)} where tenant_id = ${tenant} and email_index = ${indexOf(email)}`.execute(
            transaction,
          );
        return rows[0]?.id;
      }),
    forget: (person) =>
      database.transaction(asSystem, async (transaction) => {
        await sql`delete from weak_keys where person = ${person}`.execute(transaction);
      }),
    rotate: async () => {
      version += 1;
    },
  };
}

export const newPlace = (table: Table, tenant: Uuid): Place => ({ table, tenant, id: newUuid() });
