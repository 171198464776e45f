/** A table with a column in the clear and one into which it is being encrypted, as a room in the middle of that declares it. */
import {
  defineDataMap,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  type Clock,
  type Manifest,
  type Uuid,
} from '@strongroom/kernel';
import { asSystem, inTenant, tenantTable, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { columnMigration, type ColumnMigration, type ColumnMigrationOptions } from './column-migration.ts';
import type { Encryption } from './encryption.ts';
import { rowCodec, sealed } from './row-codec.ts';

const about = {
  category: 'user.content',
  subject: 'owner',
  purpose: 'remembering',
  lawfulBasis: 'contract',
  retention: 'until the account is deleted',
} as const;

const dataMap = defineDataMap({
  notes: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: operational,
      owner: subject,
      content_plain: personal({ ...about, protection: 'clear' }),
      content: personal({ ...about, protection: 'encrypted', blindIndex: 'content_index' }),
      content_index: secret('hashed'),
      tags_plain: personal({ ...about, protection: 'clear' }),
      tags: personal({ ...about, protection: 'encrypted' }),
    },
  },
});

export const notesRoom = {
  name: 'notes',
  migrations: [
    {
      name: '0001-notes',
      sql: `
create table notes (tenant_id uuid not null, id uuid not null, owner uuid not null, content_plain text, content bytea, content_index bytea,
  tags_plain jsonb, tags bytea, primary key (id));
${tenantTable('notes')}`,
    },
  ],
  dataMap,
} as const satisfies Manifest;

/** The last day is far away in tests that do not ask for it. */
export const notesCodec = rowCodec(dataMap, 'notes', {
  row: ['id'],
  subject: 'owner',
  columns: {
    content: sealed.text({ index: 'content_index', moving: { from: 'content_plain', until: '2027-01-31' } }),
    tags: sealed.json<readonly string[], 'tags_plain'>({ moving: { from: 'tags_plain', until: '2027-01-31' } }),
  },
});

export type NotesTable = {
  notes: {
    tenant_id: Uuid;
    id: Uuid;
    owner: Uuid;
    content_plain: string | null;
    content: Uint8Array | null;
    content_index: Uint8Array | null;
    tags_plain: unknown;
    tags: Uint8Array | null;
  };
};

/** Readers and writers of one tenant's notes. */
export class Notes {
  readonly tenant: Uuid;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;

  constructor(database: Database, encryption: Encryption, clock: Clock, tenant = newUuid()) {
    this.tenant = tenant;
    this.database = database;
    this.encryption = encryption;
    this.clock = clock;
  }

  migration(column: 'content' | 'tags' = 'content', more: Partial<ColumnMigrationOptions> = {}): ColumnMigration {
    const { database, encryption, clock } = this;
    return columnMigration({ database, encryption, codec: notesCodec, column, clock, ...more });
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(inTenant(this.tenant), work);
  }

  async insert(
    owner: Uuid,
    contents: readonly (string | null)[],
    tags: readonly string[] = [],
  ): Promise<readonly Uuid[]> {
    return this.transaction(async (transaction) => {
      const rows = await notesCodec.load(this.encryption, transaction, [owner], { create: true, clock: this.clock });
      const values = contents.map((content) =>
        rows.seal({ tenant_id: this.tenant, id: newUuid(), owner, content, tags }),
      );
      await transaction
        .withTables<NotesTable>()
        .insertInto('notes')
        .values(values.map(({ tags_plain, ...value }) => ({ ...value, tags_plain: tags_plain as unknown as string })))
        .execute();
      return values.map(({ id }) => id);
    });
  }

  async update(owner: Uuid, id: Uuid, content: string | null): Promise<void> {
    await this.transaction(async (transaction) => {
      const rows = await notesCodec.load(this.encryption, transaction, [owner], { create: true, clock: this.clock });
      const at = { tenant_id: this.tenant, id, owner };
      await transaction
        .withTables<NotesTable>()
        .updateTable('notes')
        .set(rows.change(at, { content }))
        .where('id', '=', id)
        .execute();
    });
  }

  /** Content by id, opened as a reader would. */
  async read(id?: Uuid): Promise<ReadonlyMap<Uuid, string | null>> {
    return this.transaction(async (transaction) => {
      let query = transaction.withTables<NotesTable>().selectFrom('notes').selectAll();
      if (id !== undefined) query = query.where('id', '=', id);
      const rows = await query.execute();
      const opened = await notesCodec.openAll(this.encryption, transaction, rows, { clock: this.clock });
      return new Map(opened.map((row) => [row.id, row.content]));
    });
  }

  /** How many rows have plaintext, a sealed value, an index. */
  async counts(): Promise<{ plain: number; sealed: number; index: number }> {
    return this.database.transaction(asSystem, async (transaction) => {
      const { rows } = await sql<{ plain: number; sealed: number; index: number }>`
        select count(content_plain) as plain, count(content) as sealed, count(content_index) as index from notes`.execute(
        transaction,
      );
      return rows[0]!;
    });
  }

  /** Past the codec, as an attacker or a forgotten script would. */
  async raw(statement: ReturnType<typeof sql>): Promise<void> {
    await this.database.transaction(asSystem, async (transaction) => {
      await statement.execute(transaction);
    });
  }
}
