/** People who come, change their address and are searched for while the index of addresses is being rotated. */
import { setTimeout as delay } from 'node:timers/promises';
import { newUuid, StrongroomError, systemClock, type Uuid } from '@strongroom/kernel';
import { asSystem, inInstallation, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { createIndexRotations, type IndexRotations } from './blind-index-rotation.ts';
import type { Encryption } from './encryption.ts';
import { encryptedTables } from './rotation.test-support.ts';

export const INDEX = ['people', 'email'] as const;
const columns = ['email_index', 'email_index_next'] as const;

export const rotationsOf = (database: Database, encryption: Encryption): IndexRotations =>
  createIndexRotations({
    database,
    encryption,
    clock: systemClock,
    tables: encryptedTables,
    indexes: [{ table: 'people', column: 'email', columns }],
    rowsAtOnce: 25,
  });

/** The address of a person who changed it so often. */
export const addressOf = (id: Uuid, number: number): string => `${id}.${number}@example.org`;

interface Vault {
  readonly encryption: Encryption;
  readonly indexes: IndexRotations;
}

export async function write(
  { encryption, indexes }: Vault,
  transaction: Transaction,
  id: Uuid,
  number: number,
): Promise<void> {
  const keys = await encryption.subjects(transaction, [id], { create: true });
  const text = addressOf(id, number);
  const { email_index, email_index_next } = (await indexes.read(transaction)).values(keys, ...INDEX, null, text);
  const email = keys.seal({ tenant: null, table: 'people', column: 'email', row: id, subject: id }, text);
  await sql`insert into people (id, email, email_index, email_index_next) values (${id}, ${email}, ${email_index}, ${email_index_next})
    on conflict (id) do update set email = excluded.email, email_index = excluded.email_index,
      email_index_next = excluded.email_index_next`.execute(transaction);
}

export async function find({ encryption, indexes }: Vault, transaction: Transaction, text: string): Promise<Uuid[]> {
  const matches = (await indexes.read(transaction)).matches(encryption, ...INDEX, null, text);
  const places = matches.map(({ column, value }) => sql`${sql.ref(column)} = ${value}`);
  const { rows } = await sql<{ id: Uuid }>`select id from people where ${sql.join(places, sql` or `)}`.execute(
    transaction,
  );
  return rows.map(({ id }) => id);
}

/** How many rows have an index in each of the two columns. */
export async function filled(database: Database): Promise<readonly [number, number]> {
  const { rows } = await database.transaction(asSystem, (transaction) =>
    sql<{ first: number; second: number }>`
      select count(email_index) as first, count(email_index_next) as second from people`.execute(transaction),
  );
  return [rows[0]!.first, rows[0]!.second];
}

export interface Told {
  readonly written: (id: Uuid, number: number) => void;
  readonly failed: (failure: string) => void;
}

/** `written`: who is there, and how often their address was changed. A search that finds somebody else, or nobody, is told as a failure. */
export function traffic(
  database: Database,
  vault: Vault,
  written: ReadonlyMap<Uuid, number>,
  told: Told,
): { searches(): number; stop(): Promise<void> } {
  const known = new Map(written);
  // Nobody searches for an address while it is being changed: which of the two is found is the database's choice then.
  const changing = new Set<Uuid>();
  let running = known.size > 0;
  let searches = 0;
  const attempt = async (work: (id: Uuid, number: number) => Promise<void>): Promise<void> => {
    while (running) {
      const all = [...known];
      const [id, number] = all[Math.floor(Math.random() * all.length)]!;
      try {
        if (!changing.has(id)) await work(id, number);
      } catch (error) {
        told.failed(error instanceof StrongroomError ? error.code : String(error));
      }
      await delay(2);
    }
  };
  const search = (): Promise<void> =>
    attempt(async (id, number) => {
      const found = await database.transaction(inInstallation, (transaction) =>
        find(vault, transaction, addressOf(id, number).toUpperCase()),
      );
      if (changing.has(id) || known.get(id) !== number) return;
      if (found.length !== 1 || found[0] !== id) told.failed(`${id} was searched, ${found.join(' ')} found`);
      searches += 1;
    });
  const change = (): Promise<void> =>
    attempt(async (someone, before) => {
      const [id, number] = Math.random() < 0.2 ? [newUuid(), 0] : [someone, before + 1];
      changing.add(id);
      await database.transaction(inInstallation, (transaction) => write(vault, transaction, id, number));
      told.written(id, number);
      known.set(id, number);
      changing.delete(id);
    });
  const all = Promise.all([search(), search(), change()]);
  return {
    searches: () => searches,
    async stop() {
      running = false;
      await all;
    },
  };
}
