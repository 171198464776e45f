/** Two tables as an application has them: people with a blind index, and notes of tenants about one person or two. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { defineDataMap, operational, personal, subject, type Manifest } from '@strongroom/kernel';
import { asSystem, tenantTable, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { encryptedTable } from './encrypted-table.ts';
import type { Encryption } from './encryption.ts';

const about = { purpose: 'test', lawfulBasis: 'contract', retention: 'until the end of the test' } as const;

export const dataMap = defineDataMap({
  people: {
    scope: 'installation',
    columns: {
      id: subject,
      email: personal({
        ...about,
        category: 'user.contact.email',
        subject: 'id',
        protection: 'encrypted',
        blindIndex: 'email_index',
      }),
      email_index: operational,
      email_index_next: operational,
      name: personal({ ...about, category: 'user.name', subject: 'id', protection: 'encrypted' }),
    },
  },
  notes: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: operational,
      author: subject,
      reader: subject,
      text: personal({ ...about, category: 'user.content', subject: 'author', protection: 'encrypted' }),
      between: personal({ ...about, category: 'user.content', subject: 'author', protection: 'encrypted' }),
    },
  },
});

export const testRoom = {
  name: 'rotated',
  migrations: [
    {
      name: '0001-rotated',
      sql: `create table people (id uuid primary key, email bytea, email_index bytea unique, email_index_next bytea unique, name bytea);
        create table notes (tenant_id uuid not null, id uuid primary key, author uuid not null, reader uuid, text bytea, between bytea);
        ${tenantTable('notes')}`,
    },
  ],
  dataMap,
} as const satisfies Manifest;

export const encryptedTables = [
  encryptedTable(dataMap, 'people', { row: ['id'] }),
  encryptedTable(dataMap, 'notes', { row: ['tenant_id', 'id'], subjects: { between: ['author', 'reader'] } }),
];

const place = (table: string, column: string, tenant: Uuid | null, row: string) => ({ table, column, tenant, row });
const person = (id: Uuid, column: string) => ({ ...place('people', column, null, id), subject: id });

export async function addPerson(
  encryption: Encryption,
  transaction: Transaction,
  id: Uuid,
  text: string,
): Promise<void> {
  const keys = await encryption.subjects(transaction, [id], { create: true });
  const index = keys.blindIndex(person(id, 'email'), text);
  await sql`insert into people (id, email, email_index, name)
    values (${id}, ${keys.seal(person(id, 'email'), text)}, ${index}, ${keys.seal(person(id, 'name'), text, 'xaes-256-gcm')})
    on conflict (id) do update set email = excluded.email, email_index = excluded.email_index, name = excluded.name`.execute(
    transaction,
  );
}

export async function addNote(
  encryption: Encryption,
  transaction: Transaction,
  note: { readonly tenant: Uuid; readonly author: Uuid; readonly reader: Uuid; readonly text: string },
): Promise<Uuid> {
  const { tenant, author, reader, text } = note;
  const id = newUuid();
  const keys = await encryption.subjects(transaction, [author, reader], { create: true });
  const at = (column: string) => place('notes', column, tenant, `${tenant} ${id}`);
  await sql`insert into notes (tenant_id, id, author, reader, text, between) values (${tenant}, ${id}, ${author}, ${reader},
    ${keys.seal({ ...at('text'), subject: author }, text)}, ${keys.sealShared([author, reader], at('between'), text)})`.execute(
    transaction,
  );
  return id;
}

/** E-mail and name of these people, read as an application does. Missing ones are missing. */
export async function readPeople(
  encryption: Encryption,
  transaction: Transaction,
  ids: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, string>> {
  const keys = await encryption.subjects(transaction, ids);
  const { rows } = await sql<{ id: Uuid; email: Uint8Array; name: Uint8Array }>`
    select id, email, name from people where id = any(${ids}::uuid[])`.execute(transaction);
  return new Map(
    rows.map(({ id, email, name }) => {
      const [one, other] = [keys.openText(person(id, 'email'), email), keys.openText(person(id, 'name'), name)];
      if (one !== other) throw new Error(`${one} and ${other} of ${id} do not belong together`);
      return [id, one];
    }),
  );
}

export async function readNotes(encryption: Encryption, transaction: Transaction, tenant: Uuid): Promise<string[]> {
  const { rows } = await sql<{ id: Uuid; author: Uuid; reader: Uuid; text: Uint8Array; between: Uint8Array }>`
    select * from notes where tenant_id = ${tenant} order by id`.execute(transaction);
  const keys = await encryption.subjects(
    transaction,
    rows.flatMap(({ author, reader }) => [author, reader]),
  );
  return rows.map(({ id, author, reader, text, between }) => {
    const at = (column: string) => place('notes', column, tenant, `${tenant} ${id}`);
    const shared = Buffer.from(keys.openShared([author, reader], at('between'), between)).toString();
    return `${keys.has(author) ? keys.openText({ ...at('text'), subject: author }, text) : 'erased'} ${shared}`;
  });
}

/** Key versions of the stored values, by column. */
export async function storedVersions(database: Database): Promise<Record<string, number[]>> {
  return database.transaction(asSystem, async (transaction) => {
    const found: Record<string, number[]> = {};
    for (const { table, columns } of encryptedTables) {
      for (const { column } of columns) {
        const { rows } = await sql<{ version: number }>`
          select distinct get_byte(${sql.ref(column)}, 5) as version from ${sql.table(table)} where ${sql.ref(column)} is not null
          order by 1`.execute(transaction);
        found[`${table}.${column}`] = rows.map(({ version }) => version);
      }
    }
    return found;
  });
}
