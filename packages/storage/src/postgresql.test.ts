import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { defineDataMap, operational, type Manifest } from '@strongroom/kernel';
import { freshPostgresDatabase, needs } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { inInstallation, type Database } from './database.ts';
import { openDatabase, type Location } from './open-database.ts';

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

type PostgresqlLocation = Extract<Location, { kind: 'postgresql' }>;
const [, postgresql] = databases('both');
const fresh = async (): Promise<PostgresqlLocation & { ownerUrl: string }> =>
  (await postgresql!.fresh()) as PostgresqlLocation & { ownerUrl: string };

const room: Manifest = {
  name: 'room',
  migrations: [{ name: '0001', sql: 'create table things (id int primary key)' }],
  dataMap: defineDataMap({ things: { scope: 'installation', columns: { id: operational } } }),
};

async function asOwner(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

const opened: Database[] = [];
const open = async (...parameters: Parameters<typeof openDatabase>): Promise<Database> => {
  const database = await openDatabase(...parameters);
  opened.push(database);
  return database;
};

describe.skipIf(!needs('postgresql'))('PostgreSQL', () => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });

  it('serves with a login that can neither change tables nor evade row-level security', async () => {
    const location = await fresh();
    const database = await open(location, [room]);
    expect(database.warnings).toEqual([]);
    const { rows } = await database.transaction(inInstallation, (transaction) =>
      sql`select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole from pg_roles
        where rolname in ('strongroom_app', 'strongroom_system') or rolname = session_user order by rolname desc`.execute(
        transaction,
      ),
    );
    const lesser = { rolsuper: false, rolbypassrls: false, rolcreaterole: false };
    expect(rows).toEqual([
      { rolname: 'strongroom_system', rolcanlogin: false, ...lesser },
      { rolname: 'strongroom_app', rolcanlogin: false, ...lesser },
      { rolname: expect.stringMatching(/^serving_/), rolcanlogin: true, ...lesser },
    ]);
    const altering = asOwner(location.url, 'alter table jobs disable row level security');
    expect(await failure(altering)).toMatchObject({ code: '42501' });
  });

  it('warns when one login does both', async () => {
    const url = await freshPostgresDatabase();
    const database = await open({ kind: 'postgresql', url }, [room]);
    expect(database.warnings).toEqual([expect.stringContaining('owner URL')]);
    expect(JSON.stringify(database.warnings)).not.toContain(new URL(url).password);
  });

  it('serves without the owner once the owner has migrated, and asks for the owner before', async () => {
    const { url, ownerUrl } = await fresh();
    const serving: Location = { kind: 'postgresql', url };
    expect(await failure(openDatabase(serving, []))).toMatchObject({ code: 'storage.migration-pending' });
    await (await openDatabase({ kind: 'postgresql', url, ownerUrl }, [])).close();
    expect(await failure(openDatabase(serving, [room]))).toMatchObject({
      code: 'storage.migration-pending',
      detail: 'The first is room/0001.',
    });
    await (await openDatabase({ kind: 'postgresql', url, ownerUrl }, [room])).close();
    const database = await open(serving, [room]);
    expect(database.warnings).toEqual([]);
    expect(await failure(openDatabase(serving, []))).toMatchObject({ code: 'storage.database-newer' });
  });

  it('lets servers start at once, on one database and on several of the same cluster', async () => {
    const locations = await Promise.all(Array.from({ length: 4 }, fresh));
    const all = await Promise.all([...locations, ...locations].map((location) => open(location, [room])));
    const { rows } = await all[0]!.transaction(inInstallation, (transaction) =>
      sql`select count(*) as n from schema_migrations where room = 'room'`.execute(transaction),
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('refuses servers before version 15', async () => {
    const url = new URL(await freshPostgresDatabase());
    const realPort = Number(url.port);
    // There is no older server here; this one is made to say that it is one.
    const proxy = createServer((client) => {
      const server = connect(realPort, '127.0.0.1');
      client.pipe(server);
      server.on('data', (data) => {
        client.write(Buffer.from(data.toString('latin1').replaceAll(/1[5-9]00(\d\d)/g, '1400$1'), 'latin1'));
      });
      for (const socket of [client, server])
        socket.on('error', () => undefined).on('close', () => [client.destroy(), server.destroy()]);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', () => resolve());
    });
    url.port = String((proxy.address() as AddressInfo).port);
    const error = await failure(openDatabase({ kind: 'postgresql', url: url.href }, []));
    proxy.close();
    expect(error).toMatchObject({ code: 'storage.unsupported-server', detail: 'It is version 14.' });
  });

  it.each<[string, (url: URL) => void]>([
    ['nothing listens', (url) => (url.port = '1')],
    ['the password is wrong', (url) => (url.password = 'canary')],
    ['the database does not exist', (url) => (url.pathname = '/canary')],
    ['the host does not exist', (url) => (url.hostname = 'canary.invalid')],
  ])('says that it is unavailable, without the address, when %s', async (_, change) => {
    const url = new URL(await freshPostgresDatabase());
    change(url);
    const error = await failure(openDatabase({ kind: 'postgresql', url: url.href }, []));
    expect(error).toMatchObject({ code: 'storage.unavailable', status: 503, detail: expect.any(String) });
    const shown = String((error as Error).stack) + JSON.stringify(error);
    for (const secret of ['canary', url.password, url.username, url.host]) expect(shown).not.toContain(secret);
    expect((error as Error).cause).toBeUndefined();
  });

  it('goes on after its connections were cut', async () => {
    const { url, ownerUrl } = await fresh();
    const database = await open({ kind: 'postgresql', url, ownerUrl }, [room]);
    const cut = database.transaction(inInstallation, async (transaction) => {
      await sql`insert into things values (1)`.execute(transaction);
      await asOwner(
        url,
        'select pg_terminate_backend(pid) from pg_stat_activity where usename = session_user and pid <> pg_backend_pid()',
      );
      await delay(50);
      await sql`select 1`.execute(transaction);
    });
    expect(await failure(cut)).toMatchObject({ code: 'storage.unavailable' });
    const { rows } = await database.transaction(inInstallation, (transaction) =>
      sql`select count(*) as n from things`.execute(transaction),
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('gives every session its time limits', async () => {
    const database = await open(await fresh(), []);
    const { rows } = await database.transaction(inInstallation, (transaction) =>
      sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('idle_in_transaction_session_timeout') as idle, current_setting('timezone') as zone`.execute(
        transaction,
      ),
    );
    expect(rows).toEqual([{ statement: '30s', lock: '10s', idle: '30s', zone: 'UTC' }]);
    const slow = database.transaction(inInstallation, async (transaction) => {
      await sql`set local statement_timeout = 50`.execute(transaction);
      await sql`select pg_sleep(10)`.execute(transaction);
    });
    expect(await failure(slow)).toMatchObject({ code: 'storage.timeout' });
  });

  it('resolves a deadlock by trying again', async () => {
    const database = await open(await fresh(), [room]);
    await database.transaction(inInstallation, (transaction) =>
      sql`insert into things values (1), (2)`.execute(transaction),
    );
    let attempts = 0;
    let holding = 0;
    const { promise: bothHoldOne, resolve: meet } = Promise.withResolvers<void>();
    const lockBoth = (first: number, second: number): Promise<void> =>
      database.transaction(inInstallation, async (transaction) => {
        attempts += 1;
        await sql`select 1 from things where id = ${first} for update`.execute(transaction);
        holding += 1;
        if (holding === 2) meet();
        await bothHoldOne;
        await sql`select 1 from things where id = ${second} for update`.execute(transaction);
      });
    await Promise.all([lockBoth(1, 2), lockBoth(2, 1)]);
    expect(attempts).toBeGreaterThan(2);
  });
});
