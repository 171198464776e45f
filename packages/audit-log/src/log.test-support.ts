/** A log on a real database, people to fill it, and an attacker who owns that database. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEncryption, type Encryption, fileSlot, manifest as encryptionManifest } from '@strongroom/encryption';
import { type Actor, fromBase64Url, type Manifest, newUuid, utf8, type Uuid } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';
import { type Database, inInstallation, type Location, openDatabase } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { ownerOf, type TestEngine } from '@strongroom/testing/databases';
import { type AuditLog, createAuditLog } from './audit-log.ts';
import { catalogue } from './catalogue.ts';
import { databaseLogSource } from './database-source.ts';
import type { PageThreads } from './internal/page-threads.ts';
import { cosignedMessage, cosignedNote, parseCheckpoint, timestampedSignature } from './checkpoint.ts';
import type { NoteAlgorithm } from './internal/signature-types.ts';
import type { LogSource } from './log-source.ts';
import { manifest } from './manifest.ts';
import { createSinks, type Sinks } from './sinks.ts';
import { formatSignatureLine, formatVerifierKey, type VerifierKey, verifierKey } from './signed-note.ts';

/** Stands for another room. */
const neighbour: Pick<Manifest, 'name' | 'auditEvents'> = {
  name: 'neighbour',
  auditEvents: {
    'memory.created': {
      title: 'A memory was stored',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/create',
    },
    'cache.emptied': {
      title: 'A cache was emptied',
      class: 'administration',
      retention: 'operational',
      ocsf: 'datastore-activity/delete',
    },
    'key.rotated': {
      title: 'A key was rotated',
      class: 'security',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
  },
};

export const tenant = newUuid();
export const otherTenant = newUuid();
export const alice = newUuid();
export const bob = newUuid();

/** A morning in 2026, at the start of an hour. */
export const START = Date.UTC(2026, 9, 1, 8);

export const accountActor = (account: Uuid, of: Uuid = tenant): Actor => ({
  kind: 'account',
  account,
  session: newUuid(),
  tenant: of,
});

export function auditEvent(changes: Partial<AuditEvent> = {}, actor: Actor = accountActor(alice)): AuditEvent {
  return {
    type: 'memory.created',
    outcome: 'success',
    context: { requestId: newUuid(), actor, addressPrefix: '203.0.113.0/24', receivedAt: START },
    tenant,
    object: { type: 'memory', id: newUuid() },
    subjects: [bob],
    details: { version: 3 },
    ...changes,
  };
}

/** What the tests read is text, but for a null here and there. */
type Row = Readonly<Record<string, string>>;

export interface House {
  readonly database: Database;
  readonly location: Location;
  readonly auditLog: AuditLog;
  readonly encryption: Encryption;
  readonly sinks: Sinks;
  /** Milliseconds; a test moves it. */
  readonly clock: { now: () => number; time: number };
  /** A second process on the same database, with the same root key. */
  readonly replica: (database: Database) => Promise<AuditLog>;
  append(...events: readonly AuditEvent[]): Promise<void>;
  /** Runs statements as somebody who owns the database: no role, no row-level security, no trigger in the way. */
  attack(...statements: readonly string[]): Promise<readonly Row[]>;
  /** Reads as the same. */
  peek<Shape = Row>(query: string): Promise<readonly Shape[]>;
  close(): Promise<void>;
}

const tables = Object.keys(manifest.dataMap!);

/** What the database of a house is opened with. */
export const manifests = [encryptionManifest, manifest];

export async function openHouse(engine: TestEngine, nudge: () => void = () => undefined): Promise<House> {
  const location = await engine.migrated(manifests);
  const database = await openDatabase(location, manifests);
  const clock = { time: START, now: () => clock.time };
  const slot = join(temporaryFolder(), 'root.key');
  const encryption = await createEncryption({ slot: fileSlot(slot) });
  const events = catalogue([manifest, neighbour]);
  const auditLog = createAuditLog({ clock, database, encryption, events, nudge });
  const sinks = createSinks({ clock, database, encryption, auditLog, program: '0.0.0', nudge });
  const owner = await ownerOf(location, database, tables);
  return {
    database,
    location,
    auditLog,
    encryption,
    sinks,
    clock,
    replica: async (other) =>
      createAuditLog({
        clock,
        database: other,
        encryption: await createEncryption({ slot: fileSlot(slot), mustExist: true }),
        events,
        nudge,
      }),
    append: (...added) =>
      database.transaction(inInstallation, async (transaction) => {
        for (const event of added) await auditLog.append(transaction, event);
      }),
    attack: (...statements) => owner.run(...statements),
    peek: <Shape>(query: string) => owner.run<Shape>(query),
    close: async () => {
      await owner.close();
      await database.close();
    },
  };
}

/** The same log, its entries read from JSON, as every source but the own database shows them. */
export function inJson(source: LogSource): LogSource {
  const plain = { ...source };
  delete plain.checkedEntries;
  return plain;
}

/** The same log, its pages checked in a thread, as those of a long log are. */
export async function inThread(house: House, threads: PageThreads): Promise<LogSource> {
  const { auditLog, database, clock } = house;
  const source = databaseLogSource(
    database,
    clock,
    auditLog.openings,
    () => auditLog.sequence(),
    (page, keys) => threads.check(page, keys),
  );
  // Whoever comes first is not kept waiting, but here it is the thread that is to be seen.
  while (threads.ready === 0) await delay(5);
  return source;
}

export interface Cosigner {
  readonly key: VerifierKey;
  readonly vkey: string;
  /** The note with one more signature line. `time`: seconds since the epoch. */
  cosign(note: string, time: number): string;
}

export function newCosigner(name: string, algorithm: NoteAlgorithm): Cosigner {
  const pair = algorithm === 'ml-dsa-44' ? generateKeyPairSync('ml-dsa-44') : generateKeyPairSync('ed25519');
  const jwk = pair.publicKey.export({ format: 'jwk' }) as Record<string, string>;
  const key = verifierKey(name, algorithm, fromBase64Url((jwk['x'] ?? jwk['pub'])!));
  return {
    key,
    vkey: formatVerifierKey(key),
    cosign(note, time) {
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
      const signed = {
        ed25519: () => utf8(text),
        'ed25519-cosignature': () => cosignedNote(time, text),
        'ml-dsa-44': () => cosignedMessage(name, time, parseCheckpoint(text)),
      }[algorithm]();
      const bytes = sign(null, signed, pair.privateKey);
      const signature = algorithm === 'ed25519' ? bytes : timestampedSignature(time, bytes);
      return note + formatSignatureLine({ name, keyId: key.id, signature });
    },
  };
}
