/** The audit log: what recording an event costs the transaction it belongs to, and how fast the tree grows and proves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditLog, catalogue, createAuditLog, manifest } from '@strongroom/audit-log';
import {
  CompactTree,
  createInclusionProof,
  nodeHash,
  nodesFromTiles,
  TILE_WIDTH,
  TileBuilder,
  type Verdict,
  verifyInclusion,
  verifyLog,
} from '@strongroom/audit-log/verify';
import { createEncryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { type Actor, newUuid, systemClock, toHex } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';
import { type Database, inTenant, openDatabase, postpone, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { Case, Contender, Suite, SuiteOptions } from '../harness.ts';
import { startPostgresql } from '../postgresql.ts';

const UNAUDITED = 'without auditing';
/** What is left of the throughput when the bytes of an event are stored and nothing else is done: nobody can record one for less. */
const BARE = 'bare row of as many bytes, with the commit';
/** What an application pays that keeps an audit table of its own. */
const BARE_STATEMENT = 'bare row of as many bytes, own statement';

/** The change that is recorded: one row of a table with a key and 200 bytes. */
const neighbour = {
  name: 'bench',
  migrations: [
    {
      name: '0001-notes',
      sql: `create table bench_notes (note_id uuid primary key, version bigint not null, content bytea not null);
        create table bench_bare (event text not null, opening bytea not null);`,
    },
  ],
  dataMap: {
    bench_notes: {
      scope: 'installation',
      columns: {
        note_id: { kind: 'operational' },
        version: { kind: 'operational' },
        content: { kind: 'operational' },
      },
    },
    bench_bare: {
      scope: 'installation',
      columns: { event: { kind: 'operational' }, opening: { kind: 'operational' } },
    },
  },
  auditEvents: {
    'note.created': {
      title: 'A note was stored',
      class: 'data-change',
      retention: 'operational',
      ocsf: 'datastore-activity/create',
    },
  },
} as const;

interface Subject {
  readonly database: Database;
  readonly auditLog: AuditLog;
}

async function open(location: Parameters<typeof openDatabase>[0], folder: string): Promise<Subject> {
  const database = await openDatabase(location, [encryptionManifest, manifest, neighbour]);
  const encryption = await createEncryption({ slot: fileSlot(join(folder, 'root')) });
  const events = catalogue([manifest, neighbour]);
  const auditLog = createAuditLog({ clock: systemClock, database, encryption, events, nudge: () => undefined });
  await meet({ database, auditLog });
  return { database, auditLog };
}

/** The first event of a person makes a pseudonym and a key for them, the second reads both: what is measured is every later one. */
async function meet({ database, auditLog }: Subject): Promise<void> {
  for (const actor of [...actors, ...actors]) {
    await database.transaction(inTenant(tenant), (transaction) =>
      auditLog.append(transaction, event(actor, newUuid())),
    );
  }
}

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  folders.push(folder);
  return folder;
}

process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function openPostgresql(): Promise<Subject> {
  const url = await startPostgresql({ isDurable: true });
  return open({ kind: 'postgresql', url, ownerUrl: url }, newFolder());
}

async function openPglite(): Promise<Subject> {
  const folder = newFolder();
  return open({ kind: 'folder', path: join(folder, 'data'), durability: 'durable' }, folder);
}

const tenant = newUuid();
const actors: readonly Actor[] = Array.from({ length: 20 }, () => ({
  kind: 'account',
  account: newUuid(),
  session: newUuid(),
  tenant,
}));
const content = new Uint8Array(200).fill(7);

function event(actor: Actor, id: string): AuditEvent {
  return {
    type: 'note.created',
    outcome: 'success',
    context: { requestId: newUuid(), actor, addressPrefix: '203.0.113.0/24', receivedAt: Date.now() },
    tenant,
    object: { type: 'note', id },
    subjects: [],
    details: { version: 1 },
  };
}

/** As long as what `event` becomes in the inbox, with the columns beside it. */
const bare = { event: 'e'.repeat(415), opening: new Uint8Array(76).fill(7) };
const bareRow = `insert into bench_bare values ('${bare.event}', '\\x${toHex(bare.opening)}')`;

type Recording = (auditLog: AuditLog, transaction: Transaction, id: string) => Promise<unknown>;

let turn = 0;

const audited: Recording = (auditLog, transaction, id) => {
  turn += 1;
  return auditLog.append(transaction, event(actors[turn % actors.length]!, id));
};

function change(subject: () => Promise<Subject>, rows: number, record: Recording | undefined) {
  return async () => {
    const { database, auditLog } = await subject();
    await database.transaction(inTenant(tenant), async (transaction) => {
      const id = newUuid();
      await sql`insert into bench_notes values (${id}, 1, ${content})`.execute(transaction);
      for (let row = 1; row < rows; row += 1) {
        await sql`insert into bench_notes values (${newUuid()}, 1, ${content})`.execute(transaction);
      }
      if (record !== undefined) await record(auditLog, transaction, id);
    });
  };
}

/** Transactions before anything is measured: from about there on the compiler has nothing left to do. */
const WARM_UP = 5000;
/** Transactions at once, as a server has them: within the ten connections of its pool. */
const AT_ONCE = 8;

const together = (one: () => Promise<void>, times: number) => () => Promise.all(Array.from({ length: times }, one));

/** One event for each transaction, whatever it changes. */
function appends(
  engine: string,
  subject: () => Promise<Subject>,
  { isQuick, atOnce }: SuiteOptions & { readonly atOnce: readonly number[] },
): readonly Case[] {
  const shapes = [...atOnce.map((times) => ({ rows: 1, times })), { rows: 100, times: 1 }];
  return shapes.map(({ rows, times }) => {
    const contender = (name: string, record?: Recording): Contender => {
      const one = change(subject, rows, record);
      return { name, run: times === 1 ? one : together(one, times) };
    };
    return {
      name: `${rows} rows per transaction${times === 1 ? '' : `, ${times} at once`}, ${engine}`,
      warmUp: Math.round((isQuick ? WARM_UP / 10 : WARM_UP) / (rows * times)),
      contenders: [
        contender('audited', audited),
        contender(UNAUDITED),
        contender(BARE, (_, transaction) => postpone(transaction, bareRow)),
        contender(BARE_STATEMENT, (_, transaction) =>
          sql`insert into bench_bare values (${bare.event}, ${bare.opening})`.execute(transaction),
        ),
      ],
    };
  });
}

const LEAVES = 10_000_000;
const LEAVES_AT_ONCE = 1000;

/**
 * The tiles of a log whose leaves are all the same: those of one level are as well, so that ten million take no room. Proofs cost what they
 * cost with any other leaves, but for reading the tiles from a store.
 */
function uniformLog(size: number, leaf: Uint8Array) {
  const perfect = [leaf];
  for (let height = 1; 2 ** height <= size; height += 1) perfect.push(nodeHash(perfect.at(-1)!, perfect.at(-1)!));
  const tree = new CompactTree();
  for (let height = perfect.length - 1; height >= 0; height -= 1) {
    if (Math.floor(size / 2 ** height) % 2 === 1) tree.appendSubtree(height, perfect[height]!);
  }
  const full = (level: number): Uint8Array => {
    const hashes = new Uint8Array(TILE_WIDTH * leaf.length);
    for (let place = 0; place < TILE_WIDTH; place += 1) hashes.set(perfect[8 * level]!, place * leaf.length);
    return hashes;
  };
  const levels = Array.from({ length: Math.ceil(perfect.length / 8) }, (_, level) => full(level));
  return {
    root: tree.root(),
    tile: async (level: number, _index: number, width: number) => levels[level]!.subarray(0, width * leaf.length),
  };
}

function tree(): readonly Case[] {
  const leaf = new Uint8Array(32).fill(9);
  const growing = new TileBuilder({ size: 0, edge: [] }, () => undefined);
  const { root, tile } = uniformLog(LEAVES, leaf);
  let place = 0;
  const next = (): number => {
    place = (place + 7_919_317) % LEAVES;
    return place;
  };
  // Of each proof the tiles are read anew and nothing is remembered.
  const prove = (index: number) => createInclusionProof(nodesFromTiles(LEAVES, tile), index, LEAVES);
  const made = once(async () => {
    const index = next();
    return { index, path: await prove(index) };
  });
  const check = async () => {
    const { index, path } = await made();
    if (!verifyInclusion({ index, size: LEAVES, leaf, root }, path)) throw new Error('audit: a proof is wrong');
  };
  const remembering = nodesFromTiles(LEAVES, tile);
  const ofMany = LEAVES.toLocaleString('en');
  return [
    {
      name: `append ${LEAVES_AT_ONCE} leaves`,
      contenders: [
        {
          name: 'tree',
          run: () => {
            for (let index = 0; index < LEAVES_AT_ONCE; index += 1) growing.append(leaf);
          },
        },
      ],
    },
    { name: `inclusion proof from ${ofMany} leaves: made`, contenders: [{ name: 'tree', run: () => prove(next()) }] },
    {
      name: `inclusion proof from ${ofMany} leaves: made from tiles that were read before`,
      contenders: [{ name: 'tree', run: () => createInclusionProof(remembering, next() % 100_000, LEAVES) }],
    },
    { name: `inclusion proof from ${ofMany} leaves: checked`, contenders: [{ name: 'tree', run: check }] },
  ];
}

/** Events of the log that is verified, with an opening each. */
const VERIFIED = 1_000_000;
const VERIFIED_QUICKLY = 100_000;
/** Events of one transaction while it is filled. */
const FILLED_AT_ONCE = 200;

/** Verification from the database up to the signatures, of a log written and sequenced as always: as the command does it, and from the JSON that other sources show. */
function verification(subject: () => Promise<Subject>, events: number): Case {
  const filled = once(async () => {
    const { database, auditLog } = await subject();
    for (let written = 0; written < events; written += FILLED_AT_ONCE) {
      await database.transaction(inTenant(tenant), async (transaction) => {
        for (let index = 0; index < FILLED_AT_ONCE; index += 1) await audited(auditLog, transaction, newUuid());
      });
    }
    await auditLog.sequence();
    return { auditLog, keys: await auditLog.verifierKeys() };
  });
  const verifying = (name: string, verify: (auditLog: AuditLog, keys: readonly string[]) => Promise<Verdict>) => ({
    name,
    run: async () => {
      const { auditLog, keys } = await filled();
      const { ok, size } = await verify(auditLog, keys);
      if (!ok || size < events) throw new Error('audit: the log does not verify');
    },
  });
  return {
    name: `verify a log of at least ${events.toLocaleString('en')} events, PostgreSQL`,
    rounds: 3,
    contenders: [
      verifying('rows', (auditLog, keys) => auditLog.verify({ keys })),
      verifying('JSON', (auditLog, keys) => {
        const source = { ...auditLog.source() };
        delete source.checkedEntries;
        return verifyLog(source, { keys });
      }),
    ],
  };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

export default {
  title: 'Audit log',
  peers: [],
  cases: (options) => [
    ...appends('PostgreSQL, fsync', once(openPostgresql), { ...options, atOnce: [1, AT_ONCE] }),
    // It has one session: transactions wait for each other.
    ...appends('PGlite, durable', once(openPglite), { ...options, atOnce: [1] }),
    ...tree(),
    verification(once(openPostgresql), options.isQuick ? VERIFIED_QUICKLY : VERIFIED),
  ],
} satisfies Suite;
