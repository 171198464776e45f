/**
 * What the owner of the database can do to a log, one change at a time, and what verification says about it. After each attack
 * the tables are put back byte for byte, so a finding is due to its attack and to nothing else.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { fromBase64Url, newUuid, toHex, utf8 } from '@strongroom/kernel';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cosignedMessage, formatCheckpoint, timestampedSignature } from './checkpoint.ts';
import { PageThreads } from './internal/page-threads.ts';
import { auditEvent, type House, inJson, inThread, openHouse, START } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { formatNote, type NoteSignature, verifierKey } from './signed-note.ts';
import { type Verdict, verifyLog, type RememberedCheckpoint } from './verify-log.ts';

/** One full tile, a partial one, and a partial one above them. */
const SIZE = 300;
const EARLIER = 270;
const TABLES = Object.keys(manifest.dataMap!);

/** An expression that differs from the column in exactly one bit. */
function flipped(type: string, column: string): string {
  const flip = (bytes: string) =>
    `set_byte(${bytes}, octet_length(${bytes}) - 1, get_byte(${bytes}, octet_length(${bytes}) - 1) # 1)`;
  switch (type) {
    case 'uuid':
      return `encode(${flip(`uuid_send(${column})`)}, 'hex')::uuid`;
    case 'uuid[]':
      return `array[encode(${flip(`uuid_send(${column}[1])`)}, 'hex')::uuid]`;
    case 'bytea':
      return flip(column);
    case 'text':
      return `convert_from(${flip(`convert_to(${column}, 'UTF8')`)}, 'UTF8')`;
    case 'timestamp with time zone':
      return `${column} + interval '1 microsecond'`;
    case 'integer':
    case 'bigint':
      return `${column} # 1`;
    default:
      throw new Error(`no attack known on ${type}`);
  }
}

/** The row whose columns are attacked, and what must be named for each. `@17`: the id of the event in place 17. */
const columnAttacks: Readonly<Record<string, { row: string; where: (column: string) => readonly string[] }>> = {
  audit_events: {
    row: 'event_id = (select event_id from audit_leaves where index = 17)',
    where: () => ['event 17'],
  },
  audit_openings: {
    row: 'event_id = (select event_id from audit_leaves where index = 17)',
    where: (column) => {
      if (column === 'event_id' || column === 'field') return ['event 17, column address_prefix'];
      return [column === 'opening' ? 'event 17, column address_prefix' : 'event @17, column address_prefix'];
    },
  },
  audit_leaves: {
    row: 'index = 280',
    where: (column) => {
      if (column === 'index') return ['leaf 280'];
      return [column === 'hash' ? 'leaf 280' : 'event 280'];
    },
  },
  audit_tiles: { row: 'level = 0 and index = 0', where: () => ['tile 0/0'] },
  audit_checkpoints: {
    row: `size = ${EARLIER}`,
    where: (column) => [column === 'size' ? `checkpoint ${EARLIER + 1}` : `checkpoint ${EARLIER}`],
  },
};

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`attacks on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];
    let remembered: RememberedCheckpoint;
    let types: ReadonlyMap<string, string>;
    let honest: readonly string[];

    const columnsOf = (table: string) => Object.keys(manifest.dataMap![table]!.columns).join(', ');
    /** A second event like the one in place 17, with that one's leaf hash in another place. */
    function copied(id: string, place: string): [event: string, leaf: string] {
      const columns = columnsOf('audit_events').replace('event_id, ', '');
      return [
        `insert into audit_events (event_id, ${columns}) select '${id}', ${columns} from audit_events where ${columnAttacks['audit_events']!.row}`,
        `insert into audit_leaves (event_id, index, hash) select '${id}', ${place}, hash from audit_leaves where index = 17`,
      ];
    }

    const threads = new PageThreads(Infinity);
    afterAll(() => threads.stop());

    /** From the database's own form of the rows, here and in a thread, and from their JSON, which must not differ in a word. */
    async function judge(
      options: { keys?: readonly string[]; remembered?: RememberedCheckpoint } = {},
    ): Promise<Verdict> {
      const source = house.auditLog.source();
      const verdict = await verifyLog(source, { keys, ...options });
      expect(await verifyLog(inJson(source), { keys, ...options })).toEqual(verdict);
      expect(await verifyLog(await inThread(house, threads), { keys, ...options })).toEqual(verdict);
      return verdict;
    }
    /** Of each table, in the order of `TABLES`. */
    const digests = async (): Promise<readonly string[]> => {
      const parts = TABLES.map(
        (table) =>
          `md5(coalesce((select string_agg(t::text, '|' order by t::text) from ${table} as t), '')) as ${table}`,
      );
      const [row] = await house.peek(`select ${parts.join(', ')}`);
      return TABLES.map((table) => row![table]!);
    };
    const eventAt = async (index: number): Promise<string> =>
      (await house.peek(`select event_id from audit_leaves where index = ${index}`))[0]!['event_id']!;

    /** Attacks, proves that bytes changed, and returns where verification found something. */
    async function attacked(
      statements: readonly string[],
      options: Parameters<typeof judge>[0] = {},
    ): Promise<readonly string[]> {
      await house.attack(...statements);
      expect(await digests(), 'the attack changed nothing').not.toEqual(honest);
      const verdict = await judge(options);
      expect(verdict.ok).toBe(false);
      return verdict.findings.map(({ where }) => where);
    }

    beforeAll(async () => {
      house = await openHouse(engine);
      const events = Array.from({ length: SIZE }, (_, index) =>
        auditEvent({ outcome: 'denied', reason: 'pipeline.forbidden', details: { index } }),
      );
      await house.append(...events.slice(0, EARLIER));
      // No single event has both an account and a way in; here one does, so that every column holds something to change.
      await house.attack(`update audit_inbox set event = jsonb_set(event::jsonb, '{7}', '"console"')::text`);
      expect(await house.auditLog.sequence()).toBe(EARLIER);
      keys = await house.auditLog.verifierKeys();
      const { size, root } = await judge();
      remembered = { size, root };
      house.clock.time = START + 3_600_000;
      await house.append(...events.slice(EARLIER));
      expect(await house.auditLog.sequence()).toBe(SIZE - EARLIER);
      await house.attack(...TABLES.map((table) => `create table honest_${table} as table ${table}`));
      // Someone who owns the database is stopped by no constraint either.
      const constraints = await house.peek(
        `select conrelid::regclass::text as "table", quote_ident(conname) as name from pg_constraint where conrelid::regclass::text like 'audit_%' and conrelid <> 'audit_pseudonyms'::regclass and contype <> 'n'`,
      );
      for (const row of constraints) await house.attack(`alter table ${row['table']} drop constraint ${row['name']}`);
      const columns = await house.peek(
        `select attrelid::regclass::text || '.' || attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid::regclass::text like 'audit_%' and attnum > 0 and not attisdropped`,
      );
      honest = await digests();
      types = new Map(columns.map((row) => [row['name']!, row['type']!]));
    });
    afterAll(() => house.close());
    afterEach(async () => {
      const now = await digests();
      const changed = TABLES.filter((_, position) => now[position] !== honest[position]);
      await house.attack(
        ...changed.flatMap((table) => [`truncate ${table}`, `insert into ${table} table honest_${table}`]),
      );
      expect(await digests()).toEqual(honest);
    });

    it('are made on every column that a log is made of', () => {
      const columns = Object.keys(columnAttacks).flatMap((table) => Object.keys(manifest.dataMap![table]!.columns));
      figure(`${columns.length} columns attacked on ${engine.name}`);
      expect(columns.length).toBeGreaterThan(25);
    });

    it('leave nothing to find in an honest log', async () => {
      expect(await judge({ remembered })).toMatchObject({ ok: true, findings: [], size: SIZE });
    });

    for (const [table, { row, where }] of Object.entries(columnAttacks)) {
      for (const column of Object.keys(manifest.dataMap![table]!.columns)) {
        it(`one bit of ${table}.${column} is found and named`, async () => {
          const attack = `update ${table} set ${column} = ${flipped(types.get(`${table}.${column}`)!, column)} where ${row}`;
          const [event] = await house.peek('select event_id from audit_leaves where index = 17');
          const expected = where(column).map((place) => place.replace('@17', event!['event_id']!));
          expect(await attacked([attack])).toEqual(expect.arrayContaining(expected));
        });
      }
    }

    for (const column of [
      'reason',
      'actor',
      'actor_via',
      'session_id',
      'tenant_id',
      'address_commitment',
      'object_type',
      'object_id',
    ]) {
      it(`NULL in audit_events.${column} is found`, async () => {
        expect(
          await attacked([`update audit_events set ${column} = null where ${columnAttacks['audit_events']!.row}`]),
        ).toContain('event 17');
      });
    }

    it.each([
      ['a second leaf in the same place, with an event of its own', 'leaf 17', (id: string) => copied(id, '17')],
      [
        'a second event under the same id',
        'leaf 17',
        () => [
          `insert into audit_events (${columnsOf('audit_events')}) select ${columnsOf('audit_events').replace('outcome', "'success'")} from audit_events
           where ${columnAttacks['audit_events']!.row}`,
        ],
      ],
      [
        'a second opening',
        'leaf 17',
        () => [`insert into audit_openings select * from audit_openings where ${columnAttacks['audit_openings']!.row}`],
      ],
      [
        'a second tile',
        'tile 0/0',
        () => ['insert into audit_tiles select * from audit_tiles where level = 0 and index = 0'],
      ],
      ['an event in a place before the first', 'leaf -1', (id: string) => copied(id, '-1')],
      [
        'an event in no place at all',
        'leaf ',
        (id: string) => ['alter table audit_leaves alter column index drop not null', ...copied(id, 'null')],
      ],
      [
        'a checkpoint over nothing',
        'checkpoint 0',
        () => [
          `insert into audit_checkpoints (size, root, signed_at, note) select 0, root, signed_at, note from audit_checkpoints where size = ${SIZE}`,
        ],
      ],
    ])('%s is found where no constraint forbids it', async (_, place, statements) => {
      expect(await attacked(statements(newUuid()))).toContain(place);
    });

    it.each([
      ['audit_leaves', 'hash', 'leaf 17', 'index = 17'],
      ['audit_events', 'type', 'event 17', columnAttacks['audit_events']!.row],
      ['audit_events', 'details', 'event 17', columnAttacks['audit_events']!.row],
      ['audit_events', 'subjects', 'event 17', columnAttacks['audit_events']!.row],
      ['audit_events', 'request_id', 'event 17', columnAttacks['audit_events']!.row],
      ['audit_events', 'occurred_at', 'event 17', columnAttacks['audit_events']!.row],
    ])('NULL in %s.%s is found where no constraint forbids it', async (table, column, place, row) => {
      expect(
        await attacked([
          `alter table ${table} alter column ${column} drop not null`,
          `update ${table} set ${column} = null where ${row}`,
        ]),
      ).toContain(place);
    });

    it.each([
      ['holds a NULL', 'array[null]::uuid[]'],
      ['has two dimensions', 'array[subjects, subjects]'],
      ['counts from zero', "('[0:0]=' || subjects::text)::uuid[]"],
      ['is empty', "'{}'"],
      ['holds one more', 'subjects || subjects'],
    ])('a list of subjects that %s is found', async (_, list) => {
      expect(
        await attacked([`update audit_events set subjects = ${list} where ${columnAttacks['audit_events']!.row}`]),
      ).toContain('event 17');
    });

    it('what a driver would hide is found: a byte order mark, a microsecond, infinity', async () => {
      const event = `event_id = '${await eventAt(17)}'`;
      expect(
        await attacked([`update audit_events set object_type = U&'\\FEFF' || object_type where ${event}`]),
      ).toContain('event 17');
      expect(await attacked([`update audit_events set occurred_at = 'infinity' where ${event}`])).toContain('event 17');
    });

    it('every byte of the newest checkpoint counts', async () => {
      const [row] = await house.peek(`select note from audit_checkpoints where size = ${SIZE}`);
      const note = row!['note']!;
      for (const index of [
        0,
        12,
        note.indexOf('\n300'),
        note.indexOf('\n300') + 1,
        60,
        note.length - 1000,
        note.length - 3,
        note.length - 1,
      ]) {
        const character = note[index] === 'A' ? 'B' : 'A';
        const changed = note.slice(0, index) + character + note.slice(index + 1);
        expect(await attacked([`update audit_checkpoints set note = '${changed}' where size = ${SIZE}`])).toContain(
          `checkpoint ${SIZE}`,
        );
      }
    });

    it.each([17, 0, 280, SIZE - 1])('a removed event is missed in place %i', async (place) => {
      const id = await eventAt(place);
      expect(await attacked([`delete from audit_events where event_id = '${id}'`])).toContain(`event ${place}`);
    });

    it.each([17, 0, 280, SIZE - 1])('an event removed with its leaf is missed in place %i', async (place) => {
      const id = await eventAt(place);
      const found = await attacked([
        `delete from audit_events where event_id = '${id}'`,
        `delete from audit_openings where event_id = '${id}'`,
        `delete from audit_leaves where index = ${place}`,
      ]);
      expect(found).toContain(`leaf ${place}`);
    });

    it('an event removed with its leaf, the later ones moved up, is missed', async () => {
      const id = await eventAt(290);
      const found = await attacked([
        `delete from audit_events where event_id = '${id}'`,
        `delete from audit_openings where event_id = '${id}'`,
        'delete from audit_leaves where index = 290',
        'update audit_leaves set index = index - 1 where index > 290',
      ]);
      expect(found).toEqual(expect.arrayContaining(['leaf 299', 'checkpoint 300']));
    });

    it('a tail cut clean is found by whoever remembers a checkpoint, and by nobody else', async () => {
      const { root } = await judge();
      const cut = [
        `delete from audit_events where event_id in (select event_id from audit_leaves where index >= ${EARLIER})`,
        `delete from audit_openings where event_id in (select event_id from audit_leaves where index >= ${EARLIER})`,
        `delete from audit_leaves where index >= ${EARLIER}`,
        `delete from audit_checkpoints where size > ${EARLIER}`,
      ];
      expect(await attacked(cut, { remembered: { size: SIZE, root } })).toEqual([`checkpoint ${EARLIER}`]);
      expect(await judge()).toMatchObject({ ok: true, size: EARLIER });
      // The sequencer that signed more refuses to sign a second history; events keep arriving.
      await house.append(auditEvent());
      await expect(house.auditLog.sequence()).rejects.toThrow(expect.objectContaining({ code: 'audit-log.damaged' }));
    });

    it('an emptied log is found by whoever remembers a checkpoint', async () => {
      const everything = TABLES.map((table) => `delete from ${table}`);
      expect(await attacked(everything, { remembered })).toEqual(['checkpoint 0']);
      await house.append(auditEvent());
      await expect(house.auditLog.sequence()).rejects.toThrow(expect.objectContaining({ code: 'audit-log.damaged' }));
    });

    it('an absurd size does not keep the verifier busy', async () => {
      const absurd = `update audit_checkpoints set size = ${2 ** 52}, note = replace(note, E'\\n300\\n', E'\\n${2 ** 52}\\n') where size = ${SIZE}`;
      expect(await attacked([absurd])).toEqual(expect.arrayContaining([`checkpoint ${2 ** 52}`, 'leaf 300']));
    });

    it('leaves and tiles deleted all at once are missed', async () => {
      expect(await attacked(['delete from audit_leaves', 'delete from audit_tiles'])).toEqual(
        expect.arrayContaining(['leaf 0', `checkpoint ${SIZE}`]),
      );
    });

    it('two events that changed places are named', async () => {
      const [left, right] = [await eventAt(20), await eventAt(281)];
      const found = await attacked([
        `update audit_leaves set event_id = '${right}' where index = 20`,
        `update audit_leaves set event_id = '${left}' where index = 281`,
      ]);
      expect(found).toEqual(['event 20', 'event 281']);
    });

    it('two events that changed places with their leaf hashes are named', async () => {
      const found = await attacked([
        'update audit_leaves set index = -1 where index = 20',
        'update audit_leaves set index = 20 where index = 21',
        'update audit_leaves set index = 21 where index = -1',
      ]);
      expect(found).toEqual(expect.arrayContaining(['event 20', 'leaf 20', 'event 21', 'leaf 21']));
    });

    it('two changed copies of one hash do not outvote the signed tree', async () => {
      const found = await attacked([
        `update audit_leaves set hash = ${flipped('bytea', 'hash')} where index = 17`,
        `update audit_tiles set hashes = overlay(hashes placing (select hash from audit_leaves where index = 17) from ${17 * 32 + 1}) where level = 0`,
      ]);
      expect(found).toEqual(expect.arrayContaining(['leaf 17', 'tile 0/0']));
      expect(found).not.toContain('event 17');
    });

    it('an event forged with all hashes above it still lacks a signature', async () => {
      const id = await eventAt(285);
      await house.attack(`update audit_events set outcome = 'success' where event_id = '${id}'`);
      const entries = await house.auditLog.source().entries(285, 286);
      const { eventLeaf } = await import('./entry.ts');
      const { event } = entries[0]!;
      const forged = typeof event === 'string' ? new Uint8Array() : eventLeaf(event);
      const found = await attacked([`update audit_leaves set hash = '\\x${toHex(forged)}' where index = 285`]);
      expect(found).toContain('checkpoint 300');
    });

    it('an event written past the log is named', async () => {
      const forged = newUuid();
      const [event] = copied(forged, String(SIZE));
      expect(await attacked([event])).toEqual([`event ${forged}`]);
      // With a leaf at the end as well:
      expect(await attacked([`insert into audit_leaves values (${SIZE}, '${forged}', sha256(''))`])).toEqual([
        `leaf ${SIZE}`,
      ]);
    });

    it('values and tiles beyond the log are named', async () => {
      const orphan = newUuid();
      expect(
        await attacked([`insert into audit_openings values ('${orphan}', 'address_prefix', null, null, '\\x00')`]),
      ).toEqual([`event ${orphan}, column address_prefix`]);
      expect(await attacked(['insert into audit_tiles select 0, 1, hashes, root from audit_tiles'])).toContain(
        'tile 0/1',
      );
    });

    it('a missing tile and a missing earlier checkpoint', async () => {
      expect(await attacked(['delete from audit_tiles'])).toContain('tile 0/0');
      // Earlier checkpoints are thinned out by design: that one is missing proves nothing.
      await house.attack(`delete from audit_checkpoints where size = ${EARLIER}`);
    });

    it('an event that was logged and waits once more is named', async () => {
      const [row] = await house.peek('select event_id from audit_events limit 1');
      const id = row!['event_id'];
      await house.attack(`insert into audit_inbox values ('["${id}",${START * 1000}]')`);
      expect(await attacked([])).toContain(`event ${id}`);
      await house.attack('delete from audit_inbox');
    });

    it('a history signed with other keys is refused, whoever holds the old ones', async () => {
      const origin = keys[0]!.split('+')[0]!;
      const ed25519 = generateKeyPairSync('ed25519');
      const mldsa = generateKeyPairSync('ml-dsa-44');
      const raw = (key: typeof ed25519.publicKey, name: 'x' | 'pub') =>
        fromBase64Url((key.export({ format: 'jwk' }) as Record<string, string>)[name]!);
      const own = [
        verifierKey(origin, 'ed25519', raw(ed25519.publicKey, 'x')),
        verifierKey(origin, 'ml-dsa-44', raw(mldsa.publicKey, 'pub')),
      ] as const;
      const [row] = await house.peek<{ root: Uint8Array }>(`select root from audit_checkpoints where size = ${SIZE}`);
      const checkpoint = { origin, size: SIZE, root: new Uint8Array(row!.root) };
      const text = formatCheckpoint(checkpoint);
      const time = Math.floor(house.clock.time / 1000);
      const lines: NoteSignature[] = [
        { name: origin, keyId: own[0].id, signature: sign(null, utf8(text), ed25519.privateKey) },
        {
          name: origin,
          keyId: own[1].id,
          signature: timestampedSignature(
            time,
            sign(null, cosignedMessage(origin, time, checkpoint), mldsa.privateKey),
          ),
        },
      ];
      const resigned = `update audit_checkpoints set note = '${formatNote(text, lines)}' where size = ${SIZE}`;
      expect(await attacked([resigned])).toContain(`checkpoint ${SIZE}`);
      // Claiming the known key ids does not help either.
      const claimed = lines.map((line, index) => ({ ...line, keyId: keys[index]!.split('+')[1]! }));
      const forged = `update audit_checkpoints set note = '${formatNote(text, claimed)}' where size = ${SIZE}`;
      expect(await attacked([forged])).toContain(`checkpoint ${SIZE}`);
      // And nothing more is signed on top of it by a process that starts now.
      await house.append(auditEvent());
      const restarted = await house.replica(house.database);
      await expect(restarted.sequence()).rejects.toThrow(expect.objectContaining({ code: 'audit-log.damaged' }));
    });

    it('a fork at the same size is found by whoever remembers the other one', async () => {
      const verdict = await judge({ remembered: { size: EARLIER, root: new Uint8Array(32) } });
      expect(verdict.findings).toEqual([
        { where: `remembered checkpoint ${EARLIER}`, what: 'its root is not that of the entries' },
      ]);
    });

    it('a sequencer does not build on a changed edge', async () => {
      await house.attack(`update audit_leaves set hash = ${flipped('bytea', 'hash')} where index = 299`);
      await house.append(auditEvent());
      const damaged = expect.objectContaining({ code: 'audit-log.damaged' });
      await expect(house.auditLog.sequence()).rejects.toThrow(damaged);
      await house.attack('delete from audit_leaves where index = 299');
      await expect((await house.replica(house.database)).sequence()).rejects.toThrow(damaged);
      await house.attack('delete from audit_signing_keys');
      await expect((await house.replica(house.database)).sequence()).rejects.toThrow(damaged);
    });
  });
}
