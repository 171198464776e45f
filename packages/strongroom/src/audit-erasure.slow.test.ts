/**
 * Must-show of the audit log: a person is erased, and whoever holds every key but theirs, all files of the database with its write-ahead log, a backup from
 * before and both bundles, finds nothing of what the log committed to.
 */
import { createDecipheriv, createHash, hash, type KeyObject } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyBundle, verifyLog, writeBundle } from '@strongroom/audit-log/verify';
import { generateIdentity } from '@strongroom/backup';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, type Transaction } from '@strongroom/storage';
import {
  type Pattern,
  ByteScanner,
  disguises,
  figure,
  filesBelow,
  needs,
  type PostgresCluster,
  startPostgres,
  temporaryFolder,
} from '@strongroom/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { createStrongroom, type Strongroom } from './create-strongroom.ts';
import { restoreVault } from './restore-vault.ts';
import { rooms } from './rooms.ts';

const quiet = { request: () => {}, failure: () => {}, jobFinished: () => {} };

/** Nobody else's, so that a search in a cluster finds this test's values only. */
const prefixOf = (person: number): string => `2001:db8:${newUuid().slice(-4)}:${person}00::/56`;

interface Person {
  readonly account: Uuid;
  readonly tenant: Uuid;
  readonly prefix: string;
  readonly state: Uint8Array;
}

const person = (number: number, tenant: Uuid): Person => ({
  account: newUuid(),
  tenant,
  prefix: prefixOf(number),
  state: new Uint8Array(createHash('sha256').update(`mail${number}@example.org`).digest()),
});

const append = ({ services: { auditLog, database } }: Strongroom, who: Person, more: object = {}) =>
  database.transaction(asSystem, (transaction) =>
    auditLog.append(transaction, {
      type: 'session.created',
      outcome: 'success',
      context: {
        requestId: newUuid(),
        actor: { kind: 'account', account: who.account, session: newUuid(), tenant: who.tenant },
        addressPrefix: who.prefix,
        receivedAt: Date.now(),
      },
      tenant: who.tenant,
      object: { type: 'account', id: who.account },
      subjects: [who.account],
      details: {},
      ...more,
    }),
  );

async function bundleOf({ services: { auditLog } }: Strongroom): Promise<string> {
  await auditLog.sequence();
  let text = '';
  for await (const part of writeBundle(auditLog.source(), { keys: await auditLog.verifierKeys() })) text += part;
  return text;
}

async function* linesOf(text: string): AsyncIterable<string> {
  for (const line of text.split('\n').slice(0, -1)) yield line;
}

type Tables = Record<string, Record<string, unknown>> & {
  audit_leaves: { index: number; event_id: string };
  audit_events: { event_id: string; actor: string | null; details: string; address_commitment: Uint8Array | null };
  audit_openings: { event_id: string; subject: string | null; opening: Uint8Array };
  audit_opening_keys: { person: string; account_id: Uuid | null };
};
const tablesOf = (transaction: Transaction) => transaction.$extendTables<Tables>();

/** All rows of all rooms as text, bytes in hexadecimal: what a logical backup holds. */
async function rowsOf({ services: { database } }: Strongroom): Promise<string> {
  return database.transaction(asSystem, async (transaction) => {
    let text = '';
    for (const table of rooms.flatMap(({ dataMap = {} }) => Object.keys(dataMap))) {
      const rows = await tablesOf(transaction).selectFrom(table).selectAll().execute();
      text += JSON.stringify(rows, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      );
    }
    return text;
  });
}

interface Committed {
  readonly commitment: string;
  readonly salt: Uint8Array;
  readonly value: string;
}

/** What the entries of a bundle commit to, with what opens it. */
function openedIn(bundle: string): Committed[] {
  return bundle.split('\n').flatMap((line) => {
    const { event, addressPrefix } = (line === '' ? {} : JSON.parse(line)) as {
      event?: { addressCommitment: string | null };
      addressPrefix?: { salt: string; value: string } | null;
    };
    const { addressCommitment = null } = event ?? {};
    if (addressCommitment === null || addressPrefix === undefined || addressPrefix === null) return [];
    const salt = new Uint8Array(Buffer.from(addressPrefix.salt, 'base64url'));
    return [{ commitment: addressCommitment, salt, value: addressPrefix.value }];
  });
}

const commit = (salt: Uint8Array, value: string): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'buffer').toString('base64url');

/** Every 32 bytes of these that may be random, tried as the salt of the true value: what a dictionary attack comes down to for who guessed right. */
function saltsTried(
  bytes: Uint8Array,
  value: string,
  commitments: ReadonlySet<string>,
): { tried: number; found: number } {
  const counts = Array<number>(256).fill(0);
  const tail = Buffer.from(value);
  const candidate = Buffer.concat([Buffer.alloc(32), tail]);
  let [distinct, tried, found] = [0, 0, 0];
  for (let end = 0; end < bytes.length; end += 1) {
    const [added, dropped] = [bytes[end]!, bytes[end - 32]];
    counts[added]! += 1;
    if (counts[added] === 1) distinct += 1;
    if (dropped !== undefined) {
      counts[dropped]! -= 1;
      if (counts[dropped] === 0) distinct -= 1;
    }
    // 32 random bytes have about 30 different values; fewer than 22 in less than one of ten million cases.
    if (end < 31 || distinct < 22) continue;
    tried += 1;
    candidate.set(bytes.subarray(end - 31, end + 1), 0);
    if (commitments.has(hash('sha256', candidate, 'buffer').toString('base64url'))) found += 1;
  }
  return { tried, found };
}

interface Place {
  readonly name: string;
  readonly available: boolean;
  open(data: string): Promise<Strongroom>;
  /** Where all bytes of the database lie, the write-ahead log included. */
  files(data: string): Promise<string>;
}

let cluster: PostgresCluster | undefined;
afterAll(() => cluster?.stop());
let url = '';

const places: readonly Place[] = [
  {
    name: 'PGlite',
    available: true,
    open: (data) => createStrongroom({ data, durability: 'relaxed', log: quiet }),
    files: async (data) => join(data, 'database'),
  },
  {
    name: 'PostgreSQL',
    available: needs('postgresql'),
    open: async (data) => {
      cluster ??= await startPostgres();
      if (url === '') url = await cluster.freshDatabase();
      return createStrongroom({ data, database: { url, ownerUrl: url }, log: quiet });
    },
    files: async () => {
      await cluster!.superuser('checkpoint');
      return cluster!.superuser('show data_directory');
    },
  },
];

for (const place of places) {
  describe.skipIf(!place.available)(`an erased person in the audit log on ${place.name}`, () => {
    it('is found by nobody, whatever bytes and keys they kept', { timeout: 300_000 }, async () => {
      const data = temporaryFolder();
      const folder = temporaryFolder();
      const { identity, recipient } = await generateIdentity('x25519');
      const vault = await place.open(data);
      const { services } = vault;
      const tenant = newUuid();
      const people = [1, 2, 3].map((number) => person(number, tenant));
      const [alice, bob] = people as [Person, Person];
      for (const who of people) for (let count = 0; count < 3; count += 1) await append(vault, who);
      await append(vault, alice, { digests: { before: alice.state } });
      // Somebody else changed what is about Alice: her erasure must close the digests of it.
      await append(vault, bob, { subjects: [alice.account], object: null, digests: { after: alice.state } });
      const before = await bundleOf(vault);
      const oldBackup = join(folder, 'old.age');
      await services.backups.create({ path: oldBackup, recipients: [recipient] }, 'command-line');
      const oldRows = await rowsOf(vault);
      await append(vault, alice);
      const opened = openedIn(await bundleOf(vault));
      const hers = opened.filter(({ value }) => value === alice.prefix);
      const sealed = await services.database.transaction(asSystem, stored);
      const oldFiles = join(folder, 'files');
      cpSync(await place.files(data), oldFiles, { recursive: true });

      const report = await services.keys.shred([alice.account], 'none', 'command-line');
      expect(report).toMatchObject({ shredded: 1, complete: true });
      const after = await bundleOf(vault);
      const keyCopy = join(folder, 'keys.age');
      await services.backups.create({ path: keyCopy, recipients: [recipient], keysOnly: true }, 'command-line');

      // No row leads to her any more.
      expect(oldRows).toContain(alice.account);
      expect(await rowsOf(vault)).not.toContain(alice.account);

      // Both verify, and so does the log.
      expect(await verifyBundle(linesOf(before), {})).toMatchObject({ ok: true, redactedEntries: 0 });
      expect(await verifyBundle(linesOf(after), {})).toMatchObject({ ok: true, redactedEntries: 6 });
      const keys = await services.auditLog.verifierKeys();
      expect(await verifyLog(services.auditLog.source(), { keys })).toMatchObject({ ok: true, redactedEntries: 6 });
      expect(hers).toHaveLength(5);
      const [ofChange] = openedIn(
        before
          .split('\n')
          .filter((line) => line.includes('afterDigest'))
          .join('\n'),
      ) as [Committed];

      // Byte search: her values and every salt of hers, in all forms.
      const secrets: readonly Pattern[] = [
        ...disguises('prefix', alice.prefix),
        ...[...hers, ofChange].flatMap(({ salt }, index) => disguises(`salt ${index}`, salt)),
      ];
      const scanner = new ByteScanner(secrets);
      const files = await place.files(data);
      expect([...scanner.scanFolder(files), ...scanner.scanFolder(oldFiles)]).toEqual([]);
      for (const { name, bytes } of secrets) {
        for (const text of [after, oldRows, await rowsOf(vault)]) {
          expect(Buffer.from(text).includes(Buffer.from(bytes)), name).toBe(false);
        }
        if (name === 'prefix as plain bytes') expect(Buffer.from(before).includes(Buffer.from(bytes))).toBe(true);
      }
      // What is searched is the right place: her ciphertexts are there, in files from after the erasure.
      const survivors = new ByteScanner(
        sealed.map(({ opening }, index) => ({ name: `opening ${index}`, bytes: opening })),
      );
      const found = new Set(survivors.scanFolder(files).map(({ name }) => name));
      expect(found.size).toBe(sealed.length);

      // Every key that is left, on each of her ciphertexts.
      await services.database.transaction(asSystem, (transaction) =>
        everyKey(vault, transaction, sealed, alice.account),
      );

      // Dictionary: the true value with every salt that anybody has, and with every 32 bytes of all files.
      const commitments = new Set([...hers, ofChange].map(({ commitment }) => commitment));
      const dictionary = [alice.prefix, bob.prefix, ...people.map(({ account }) => account)];
      const salts = openedIn(after).map(({ salt }) => salt);
      const guessed = dictionary.filter((value) =>
        [new Uint8Array(0), new Uint8Array(32), ...salts].some((salt) => commitments.has(commit(salt, value))),
      );
      expect(guessed).toEqual([]);
      const control = openedIn(after).find(({ value }) => value === bob.prefix)!;
      expect(commit(control.salt, bob.prefix)).toBe(control.commitment);
      let [tried, hits] = [0, 0];
      for (const file of filesBelow(files)) {
        const result = saltsTried(readFileSync(file), alice.prefix, commitments);
        tried += result.tried;
        hits += result.found;
      }
      expect(hits).toBe(0);
      // The same search finds a salt where there is one.
      const planted = Buffer.concat([Buffer.alloc(1000, 7), hers[0]!.salt, Buffer.alloc(100, 9)]);
      expect(saltsTried(planted, alice.prefix, commitments).found).toBe(1);

      // The old backup brings the rows back, with the keys of today: forgotten there as well.
      const restored = temporaryFolder();
      cpSync(join(data, 'keys'), join(restored, 'keys'), { recursive: true });
      await restoreVault({ data: restored, path: oldBackup, identities: [identity], keys: keyCopy });
      const again = await createStrongroom({ data: restored, durability: 'relaxed', log: quiet });
      const restoredBundle = await bundleOf(again);
      expect(await verifyBundle(linesOf(restoredBundle), {})).toMatchObject({ ok: true, redactedEntries: 5 });
      expect(await verifyLog(again.services.auditLog.source(), { keys })).toMatchObject({
        ok: true,
        redactedEntries: 5,
      });
      expect(restoredBundle).not.toContain(alice.prefix);
      expect(restoredBundle).toContain(bob.prefix);
      const ciphertext = Buffer.from(sealed[0]!.opening).toString('hex');
      expect(oldRows).toContain(ciphertext);
      expect(await rowsOf(again)).not.toContain(ciphertext);
      await again.close();
      await vault.close();
      figure(`${place.name}: ${secrets.length} byte patterns and ${tried} candidate salts in all files, 0 found`);
    });
  });
}

interface Stored {
  readonly opening: Uint8Array;
  readonly commitment: Uint8Array | null;
}

/** The openings of the first person that was logged, and of the change that is about them. */
async function stored(transaction: Transaction): Promise<readonly Stored[]> {
  const tables = tablesOf(transaction);
  const { actor } = await tables
    .selectFrom('audit_events')
    .innerJoin('audit_leaves', 'audit_leaves.event_id', 'audit_events.event_id')
    .select('audit_events.actor')
    .orderBy('audit_leaves.index')
    .limit(1)
    .executeTakeFirstOrThrow();
  const changed = tables.selectFrom('audit_events').select('event_id').where('details', 'like', '%afterDigest%');
  return tables
    .selectFrom('audit_openings')
    .innerJoin('audit_events', 'audit_events.event_id', 'audit_openings.event_id')
    .select(['audit_openings.opening', 'audit_events.address_commitment as commitment'])
    .where((where) =>
      where.or([where('audit_openings.subject', '=', actor), where('audit_openings.event_id', 'in', changed)]),
    )
    .execute();
}

/** The forms of docs/format/audit.md that are written today: of each where the vector begins, and what is authenticated. */
const FORMS: Readonly<Record<number, readonly [start: number, associated: string]>> = {
  2: [1, 'strongroom/audit-opening/v2'],
  3: [2, 'strongroom/audit-opening/v3'],
};

function opensWith(key: KeyObject, { opening, commitment }: Stored): boolean {
  const [form, counter] = opening;
  const [start, associated] = FORMS[form!]!;
  const decipher = createDecipheriv('aes-256-gcm', key, opening.subarray(start, start + 12));
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(opening.subarray(-16));
  const plaintext = decipher.update(opening.subarray(start + 12, -16));
  try {
    decipher.final();
  } catch {
    return false;
  }
  if (form === 3) {
    const block = [
      Buffer.of(0, 0, 0, counter!),
      plaintext.subarray(0, 32),
      Buffer.from('strongroom/audit-opening-salt/v1'),
    ];
    hash('sha256', Buffer.concat(block), 'buffer').copy(plaintext);
  }
  return commitment !== null && hash('sha256', plaintext, 'buffer').equals(commitment);
}

/** Whoever holds the root of today and every row gets every log key but hers, and none of them opens what was hers. */
async function everyKey(
  { services: { encryption, auditLog } }: Strongroom,
  transaction: Transaction,
  sealed: readonly Stored[],
  account: Uuid,
): Promise<void> {
  const tables = tablesOf(transaction);
  const rows = await tables.selectFrom('audit_opening_keys').select(['person', 'account_id as account']).execute();
  expect(rows.map((row) => row.account)).not.toContain(account);
  expect((await encryption.subjects(transaction, [account])).has(account)).toBe(false);
  const people = rows.map(({ person }) => person);
  const keys = [...(await auditLog.openings.forReading(transaction, people)).values()].filter(
    (key) => key !== 'erased',
  );
  expect(keys).toHaveLength(2);
  const others = await tables
    .selectFrom('audit_openings')
    .innerJoin('audit_events', 'audit_events.event_id', 'audit_openings.event_id')
    .select(['audit_openings.opening', 'audit_events.address_commitment as commitment'])
    .limit(1)
    .execute();
  const opened = (one: Stored) => keys.filter((key) => opensWith(key, one)).length;
  expect(others.map(opened)).toEqual([1]);
  expect(sealed.map(opened)).toEqual(sealed.map(() => 0));
}
