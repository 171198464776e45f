/** Somebody who owns the database: no role, no row-level security, no trigger in the way. What attacks on stored data are run as. */
import { asSystem, type Database, type Location } from '@strongroom/storage';
import { sql } from 'kysely';

type Row = Readonly<Record<string, unknown>>;

export interface Owner {
  /** Runs statements one after the other and returns the rows of the last one. */
  run<Shape = Row>(...statements: readonly string[]): Promise<readonly Shape[]>;
  close(): Promise<void>;
}

/** `tables`: whose triggers and row-level security are taken down on PostgreSQL, where the owner is no superuser. */
export async function ownerOf(location: Location, database: Database, tables: readonly string[]): Promise<Owner> {
  if (location.kind !== 'postgresql') {
    return {
      run: <Shape>(...statements: readonly string[]) =>
        database.transaction(asSystem, async (transaction) => {
          await sql`reset role`.execute(transaction);
          await sql`set local session_replication_role = replica`.execute(transaction);
          let rows: readonly unknown[] = [];
          for (const statement of statements) ({ rows } = await sql.raw(statement).execute(transaction));
          return rows as readonly Shape[];
        }),
      close: async () => undefined,
    };
  }
  // Loaded only where there is a PostgreSQL.
  const { Client } = await import('pg');
  const client = new Client({ connectionString: location.ownerUrl! });
  await client.connect();
  let walls = true;
  return {
    run: async <Shape>(...statements: readonly string[]) => {
      for (const table of walls ? tables : []) {
        await client.query(`alter table ${table} disable trigger user, disable row level security`);
      }
      walls = false;
      let rows: readonly unknown[] = [];
      for (const statement of statements) ({ rows } = await client.query(statement));
      return rows as readonly Shape[];
    },
    close: () => client.end(),
  };
}
