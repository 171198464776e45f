/**
 * `strongroom audit verify --data` on the folder of a stopped server, in which somebody who owns the database has changed one thing. That every
 * change is found is proved in packages/audit-log; here it is the command: its exit code, and that it names the place.
 */
import { cpSync, rmSync } from 'node:fs';
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { type Uuid, newUuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { sql } from 'kysely';
import { createStrongroom, rooms } from 'strongroom';
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, type Ended, PASSWORD, startVault } from './running-vault.fixture.ts';

/** More than one full tile of 256 entries, so that there is a stored tile. */
const EVENTS_BEFORE = 270;
const EVENTS_AFTER = 20;

/** Index of the event in which the first column is changed. */
const FIRST_ATTACKED = 17;

/** An expression that differs from the column in one bit; for a column that is NULL there, any value. */
function changed(type: string, column: string): string {
  const flip = (bytes: string) =>
    `set_byte(${bytes}, octet_length(${bytes}) - 1, get_byte(${bytes}, octet_length(${bytes}) - 1) # 1)`;
  const uuid = (one: string) => `encode(${flip(`uuid_send(${one})`)}, 'hex')::uuid`;
  switch (type) {
    case 'uuid':
      return `coalesce(${uuid(column)}, gen_random_uuid())`;
    case 'uuid[]':
      return `case when cardinality(${column}) = 0 then array[gen_random_uuid()] else array[${uuid(`${column}[1]`)}] end`;
    case 'bytea':
      return `coalesce(${flip(column)}, '\\x01')`;
    case 'text':
      return `coalesce(convert_from(${flip(`convert_to(${column}, 'UTF8')`)}, 'UTF8'), 'x')`;
    case 'timestamp with time zone':
      return `${column} + interval '1 microsecond'`;
    case 'integer':
    case 'bigint':
      return `${column} # 1`;
    default:
      throw new Error(`no attack known on ${type}`);
  }
}

const eventRow = (index: number): string => `event_id = (select event_id from audit_leaves where index = ${index})`;

/**
 * Which row is attacked, and how its place is called. Columns of events are changed in one event each, all at once; of what there is one of, one
 * column at a time.
 */
const TARGETS = {
  audit_events: { row: eventRow, place: (index: number) => new RegExp(`event ${index}: `), together: true },
  audit_openings: {
    row: eventRow,
    place: (index: number) => new RegExp(`event (?:${index}|[0-9a-f-]{36}), column address_prefix: `),
    together: true,
  },
  audit_leaves: { row: () => 'index = 280', place: () => /(?:leaf|event) 280: /, together: false },
  audit_tiles: { row: () => 'level = 0 and index = 0', place: () => /tile 0\/0: /, together: false },
  audit_checkpoints: {
    row: () => 'size = (select max(size) from audit_checkpoints)',
    place: () => /checkpoint \d+: /,
    together: false,
  },
} as const;

/** Changes to one copy of the folder, and what the command must say. */
interface Attack {
  readonly name: string;
  readonly statements: readonly string[];
  readonly places: readonly RegExp[];
}

/** The state of a vault that has been stopped; attacked copies are made of it. */
let pristine: string;
/** The same vault as it was some events before: a log whose tail was cut without a trace. */
let older: { readonly folder: string; readonly size: number };

/** Runs statements as the owner of the database, in a folder that no server has open. */
async function alter(
  folder: string,
  statements: readonly string[],
  options: { readonly walls: 'up' | 'down' },
): Promise<void> {
  const silent = { request: () => undefined, failure: () => undefined, jobFinished: () => undefined };
  const strongroom = await createStrongroom({ data: folder, durability: 'relaxed', log: silent });
  try {
    await strongroom.services.database.transaction(asSystem, async (transaction) => {
      await sql`reset role`.execute(transaction);
      if (options.walls === 'down') await sql`set local session_replication_role = replica`.execute(transaction);
      for (const statement of statements) await sql.raw(statement).execute(transaction);
    });
  } finally {
    await strongroom.close();
  }
}

const isAudit = (table: string): table is keyof typeof TARGETS => table in TARGETS;

/** A data folder under attack and somebody who verified it while it was honest. */
class Lane {
  readonly device = new Device();
  readonly folder: string;

  constructor(name: string) {
    this.folder = `${pristine}-${name}`;
  }

  restore(from = pristine): void {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(from, this.folder, { recursive: true });
  }

  verify(): Promise<Ended> {
    return this.device.run(['audit', 'verify', '--data', this.folder]);
  }

  verifyHere(): Promise<Ended> {
    return this.device.runHere(['audit', 'verify', '--data', this.folder]);
  }

  async alter({ statements }: Attack): Promise<void> {
    this.restore();
    await alter(this.folder, statements, { walls: 'down' });
  }
}

async function columnAttacks(): Promise<Attack[]> {
  const maps = rooms.find(({ name }) => name === 'audit-log')!.dataMap!;
  const lane = new Lane('columns');
  lane.restore();
  const types = new Map<string, string>();
  const strongroom = await createStrongroom({
    data: lane.folder,
    durability: 'relaxed',
    log: { request() {}, failure() {}, jobFinished() {} },
  });
  const { rows } = await strongroom.services.database.transaction(asSystem, (transaction) =>
    sql<{
      name: string;
      type: string;
    }>`select attrelid::regclass::text || '.' || attname as name, format_type(atttypid, atttypmod) as type
      from pg_attribute where attrelid::regclass::text like 'audit_%' and attnum > 0 and not attisdropped`.execute(
      transaction,
    ),
  );
  await strongroom.close();
  for (const { name, type } of rows) types.set(name, type);
  return Object.entries(maps).flatMap(([table, { columns }]) => {
    if (!isAudit(table)) return [];
    const { row, place, together } = TARGETS[table];
    const single = Object.keys(columns).map((column, index) => ({
      name: `${table}.${column}`,
      statements: [
        `update ${table} set ${column} = ${changed(types.get(`${table}.${column}`)!, column)} where ${row(FIRST_ATTACKED + index)}`,
      ],
      places: [place(FIRST_ATTACKED + index)],
    }));
    if (!together) return single;
    return [
      {
        name: table,
        statements: single.flatMap(({ statements }) => statements),
        places: single.flatMap(({ places }) => places),
      },
    ];
  });
}

beforeAll(async () => {
  let vault = await startVault();
  const ada = new Device();
  await ada.signUp(vault);
  const client = new Vault({ api: createApi({ baseUrl: vault.url }), cache: new InMemoryCache() });
  await client.signIn({ email: 'ada@example.org', password: PASSWORD, transport: 'bearer' });
  const [space] = await client.listSpaces();
  const write = async (count: number) => {
    for (let done = 0; done < count; done += 1) await client.api.createMemory(space!.id, memory());
  };
  await write(EVENTS_BEFORE);
  await vault.stop();
  const { size } = await ada.json<{ size: number }>('audit', 'verify', '--data', vault.data);
  older = { folder: `${vault.data}-older`, size };
  cpSync(vault.data, older.folder, { recursive: true });
  vault = await vault.start();
  await write(EVENTS_AFTER);
  await vault.stop();
  pristine = vault.data;
  // It gives the last events their place, so that the checkpoint attacked is the newest one.
  await ada.lines('audit', 'verify', '--data', pristine);
  // Someone who owns the database is stopped by no constraint either.
  const constraints =
    'do $$ declare one record; begin for one in select conrelid::regclass::text as t, quote_ident(conname) as c from pg_constraint ' +
    "where conrelid::regclass::text like 'audit_%' and conrelid <> 'audit_pseudonyms'::regclass and contype <> 'n' " +
    "loop execute format('alter table %s drop constraint %s', one.t, one.c); end loop; end $$";
  await alter(pristine, [constraints], { walls: 'down' });
});

/** A token that the server takes for one; nobody opens it here. */
const memory = (): { id: Uuid; epoch: number; token: string } => ({
  id: newUuid(),
  epoch: 1,
  token: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(72)]).toString('base64url'),
});

describe('audit verify on the folder of a stopped server', () => {
  it('exits with 0 on the honest log, also again', async () => {
    const lane = new Lane('honest');
    lane.restore();
    for (const since of ['nothing remembered', 'consistent with size']) {
      const { code, stdout } = await lane.device.run(['audit', 'verify', '--data', lane.folder]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^INTACT {2}\d+ events: \d+ recomputed; /);
      expect(stdout).toContain(since);
    }
  });

  it('exits with 3 and names the place of every single change', async () => {
    const others: Attack[] = [
      {
        name: 'one bit of an event',
        statements: [`update audit_events set details = ${changed('text', 'details')} where ${eventRow(17)}`],
        places: [/event 17: its stored columns are not those that were logged/],
      },
      {
        name: 'an event removed',
        statements: [`delete from audit_events where ${eventRow(17)}`],
        places: [/event 17: it was logged and is missing/],
      },
      {
        name: 'an event removed with its leaf',
        statements: [
          `delete from audit_events where ${eventRow(17)}`,
          `delete from audit_openings where ${eventRow(17)}`,
          'delete from audit_leaves where index = 17',
        ],
        places: [/leaf 17: it is missing/],
      },
      {
        name: 'the newest event removed',
        statements: [
          'delete from audit_events where event_id = (select event_id from audit_leaves order by index desc limit 1)',
        ],
        places: [/event \d+: it was logged and is missing/],
      },
      { name: 'a tile removed', statements: ['delete from audit_tiles'], places: [/tile 0\/0: it is missing/] },
    ];
    const attacks = [...(await columnAttacks()), ...others];
    const missed: string[] = [];
    const lane = new Lane('attacked');
    lane.restore();
    await lane.device.lines('audit', 'verify', '--data', lane.folder);
    for (const [index, attack] of attacks.entries()) {
      await lane.alter(attack);
      // The first as a process, as people run it; the others are the same program in this one.
      const { code, stdout } = await (index === 0 ? lane.verify() : lane.verifyHere());
      const named = attack.places.every((place) => place.test(stdout)) && stdout.startsWith('NOT INTACT');
      if (code !== 3 || !named) missed.push(`${attack.name}: exit code ${code}, ${stdout}`);
    }
    expect(missed).toEqual([]);
    const changes = attacks.reduce((sum, { places }) => sum + places.length, 0);
    expect(changes).toBeGreaterThan(35);
    figure(
      `audit verify exits with 3 and names the place of each of ${changes} changes, in ${attacks.length} altered copies of a data folder`,
    );
  });

  it('exits with 6 for a tail that was cut clean, if it saw more before; a newcomer cannot tell', async () => {
    const lane = new Lane('cut');
    lane.restore();
    expect(await lane.verify()).toMatchObject({ code: 0 });
    lane.restore(older.folder);
    const { code, stdout } = await lane.verify();
    expect(code).toBe(6);
    expect(stdout).toMatch(/^NOT INTACT, DIVERGED/);
    expect(stdout).toContain(`checkpoint ${older.size}: the log was cut: a checkpoint over`);
    const newcomer = new Device();
    const trusting = await newcomer.run(['audit', 'verify', '--data', lane.folder]);
    expect(trusting).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`INTACT  ${older.size} events`) as string,
    });
  });

  it('such changes are refused by the database as long as its triggers stand', async () => {
    const lane = new Lane('walls');
    lane.restore();
    for (const statement of [
      `update audit_events set type = 'x' where ${eventRow(17)}`,
      `delete from audit_leaves where index = 280`,
      'truncate audit_tiles',
    ]) {
      await expect(alter(lane.folder, [statement], { walls: 'up' })).rejects.toMatchObject({ sqlState: '42501' });
    }
  });
});
