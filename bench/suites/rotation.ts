/**
 * Rotation of keys beside an UPDATE of the same rows in batches of the same size, with values of the same size that the program has at hand, on PostgreSQL with a
 * blind index, while two readers and a writer are at work in the same process, as they are in a server. One operation is the whole table: of the rotation,
 * opened, sealed anew, and authenticated in a second pass.
 * Also tells rows per second and what readers notice, and on standard error how far it is. `--quick` takes 10,000 rows, `--rows 50000` so many.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createEncryption,
  createRotations,
  encryptedTable,
  type Encryption,
  fileSlot,
  manifest,
} from '@strongroom/encryption';
import { defineDataMap, newUuid, operational, personal, subject, systemClock, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, inInstallation, openDatabase } from '@strongroom/storage';
import { sql } from 'kysely';
import { benchUsage } from '../../tools/internal/bench-usage.ts';
import { parametersOf } from '../../tools/internal/flags.ts';
import { quantile, type Suite } from '../harness.ts';
import { startPostgresql } from '../postgresql.ts';

const { flags } = parametersOf(benchUsage);
const ROWS = Number(flags.get('rows') ?? (flags.has('quick') ? 10_000 : 300_000));
const ROWS_PER_PERSON = 10;
const ROWS_AT_ONCE = 500;
const BARE = 'UPDATE alone';
/** Milliseconds between two words about how far it is. */
const TELL_EVERY = 5_000;

const dataMap = defineDataMap({
  bench_addresses: {
    scope: 'installation',
    columns: {
      id: operational,
      person: subject,
      address: personal({
        category: 'user.contact.email',
        subject: 'person',
        purpose: 'measuring',
        lawfulBasis: 'contract',
        retention: 'until the end of the measurement',
        protection: 'encrypted',
        blindIndex: 'address_index',
      }),
      address_index: operational,
    },
  },
});

const room = {
  name: 'bench',
  migrations: [
    {
      name: '0001-addresses',
      sql: `create table bench_addresses (id uuid primary key, person uuid not null, address bytea not null, address_index bytea not null unique);`,
    },
  ],
  dataMap,
} as const;

interface House {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly ids: readonly Uuid[];
}

const placeOf = (row: Uuid, person: Uuid) => ({
  tenant: null,
  table: 'bench_addresses',
  column: 'address',
  row,
  subject: person,
});

/** Tells on standard error now and then how far something is. */
function progress(what: string): (share: number) => void {
  let told = performance.now();
  return (share) => {
    if (performance.now() - told < TELL_EVERY) return;
    told = performance.now();
    console.error(`${what}: ${Math.round(share * 100)} %`);
  };
}

async function open(): Promise<House> {
  const url = await startPostgresql();
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const database = await openDatabase({ kind: 'postgresql', url, ownerUrl: url }, [manifest, room]);
  const encryption = await createEncryption({ slot: fileSlot(join(folder, 'root')) });
  const ids = Array.from({ length: ROWS }, () => newUuid());
  const tell = progress('making rows');
  for (let from = 0; from < ROWS; from += ROWS_AT_ONCE) {
    tell(from / ROWS);
    const rows = ids.slice(from, from + ROWS_AT_ONCE);
    const people = rows.map((_, index) => index % ROWS_PER_PERSON);
    const persons = people.map((_, index) => (index % ROWS_PER_PERSON === 0 ? newUuid() : undefined));
    const owners = persons.map((_, index) => persons[index - (index % ROWS_PER_PERSON)]!);
    await database.transaction(inInstallation, async (transaction) => {
      const keys = await encryption.subjects(transaction, owners, { create: true });
      const sealed = rows.map((id, index) => keys.seal(placeOf(id, owners[index]!), `${id}@example.org`));
      const indexes = rows.map((id, index) => keys.blindIndex(placeOf(id, owners[index]!), `${id}@example.org`));
      await sql`insert into bench_addresses select * from unnest(${rows}::uuid[], ${owners}::uuid[], ${sealed}::bytea[], ${indexes}::bytea[])`.execute(
        transaction,
      );
    });
  }
  return { database, encryption, ids };
}

/** Rows of one batch get values from here: those they have, so that they stay readable. Answers the key of the last. */
const updateBatch = (database: Database, after: Uuid | null): Promise<Uuid | undefined> =>
  database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql<{ id: Uuid; address: Uint8Array }>`
      select id, address from bench_addresses where ${after === null ? sql`true` : sql`id > ${after}`}
      order by id limit ${ROWS_AT_ONCE} for update`.execute(transaction);
    if (rows.length === 0) return undefined;
    await sql`update bench_addresses as row set address = given.address
      from unnest(${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ address }) => address)}::bytea[]) as given (id, address)
      where row.id = given.id`.execute(transaction);
    return rows.at(-1)!.id;
  });

/** Two readers and a writer, until stopped; answers how long reads took, in milliseconds. */
function beside({ database, encryption, ids }: House): () => Promise<readonly number[]> {
  let running = true;
  const times: number[] = [];
  const any = (): Uuid => ids[Math.floor(Math.random() * ids.length)]!;
  const access = async (isWriter: boolean): Promise<void> => {
    while (running) {
      const id = any();
      const started = performance.now();
      await database.transaction(inInstallation, async (transaction) => {
        const { rows } = await sql<{ person: Uuid; address: Uint8Array }>`
          select person, address from bench_addresses where id = ${id}`.execute(transaction);
        const { person, address } = rows[0]!;
        const keys = await encryption.subjects(transaction, [person]);
        const text = keys.openText(placeOf(id, person), address);
        if (text !== `${id}@example.org`) throw new Error('rotation: a value is another one');
        if (!isWriter) return;
        await sql`update bench_addresses set address = ${keys.seal(placeOf(id, person), text)} where id = ${id}`.execute(
          transaction,
        );
      });
      if (!isWriter) times.push(performance.now() - started);
      await delay(1);
    }
  };
  const all = Promise.all([access(false), access(false), access(true)]);
  return async () => {
    running = false;
    await all;
    return times;
  };
}

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

async function withTraffic(house: House, what: string, work: () => Promise<void>): Promise<void> {
  const stop = beside(house);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const times = await stop();
  const [middle, tail] = [quantile(times, 0.5), quantile(times, 0.99)].map(milliseconds);
  console.log(
    `${what}: ${Math.round(ROWS / seconds)} rows/s; ${times.length} reads beside it, median ${middle}, p99 ${tail}`,
  );
}

export default {
  title: 'Rotation of keys',
  peers: [],
  cases: async () => {
    const house = await open();
    const { database, encryption } = house;
    const tables = [encryptedTable(dataMap, 'bench_addresses', { row: ['id'] })];
    const rotations = createRotations({ database, encryption, clock: systemClock, tables, rowsAtOnce: ROWS_AT_ONCE });
    const rotate = async (): Promise<void> => {
      const tell = progress('rotation');
      const { id } = await rotations.begin({ kind: 'root' }, { settle: 0 });
      const looking = setInterval(() => {
        void rotations.read(id).then(({ pass, seen, total }) => tell((pass - 1 + seen / total) / 2));
      }, TELL_EVERY);
      await rotations.work();
      clearInterval(looking);
      const { state, authenticated } = await rotations.read(id);
      if (state !== 'complete' || authenticated !== ROWS)
        throw new Error(`rotation: ${state}, ${authenticated} authenticated`);
    };
    const update = async (): Promise<void> => {
      const tell = progress(BARE);
      let done = 0;
      for (let after: Uuid | undefined | null = null; after !== undefined; tell((done += ROWS_AT_ONCE) / ROWS))
        after = await updateBatch(database, after);
    };
    return [
      {
        name: `${ROWS.toLocaleString('en')} rows with a blind index, PostgreSQL, writers running`,
        rounds: 2,
        contenders: [
          { name: 'rotation', run: () => withTraffic(house, 'rotation', rotate) },
          { name: BARE, run: () => withTraffic(house, BARE, update) },
        ],
      },
    ];
  },
} satisfies Suite;
