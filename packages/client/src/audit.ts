/** The audit log over HTTP, verified on this device. */
import {
  AuditLogError,
  followKeys,
  parseVerifierKey,
  serverSettled,
  verifyLog,
  type EventColumns,
  type LogEntry,
  type LogSource,
  type Opening,
  type StoredTile,
  type TilePlace,
  type Verdict,
} from '@strongroom/audit-log/verify';
import { fromBase64Url, toBase64Url } from '@strongroom/kernel';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import { count, decoded, fields, list, text, textOrNull, type Fields } from './internal/expect.ts';

/** What a device keeps of the log it verified last. Without it, a log that was cut or rewritten looks as good as any. */
export interface RememberedLog {
  /** C2SP verifier keys. */
  readonly keys: readonly string[];
  readonly size: number;
  /** Base64url without padding. */
  readonly root: string;
}

export interface RememberedLogStore {
  /** Null before the first verification. */
  read(): Promise<RememberedLog | null>;
  write(log: RememberedLog): Promise<void>;
}

export interface VerifyOptions {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Verifies the whole log against what this device saw before, and remembers it when it is right. The first time, the server's keys
 * are taken as they are; later, other keys are `client.log-keys-changed`, whatever they sign, unless the remembered ones announced them. Throws `client.log-empty` before the
 * first checkpoint.
 */
export async function verifyRemoteLog(
  api: Api,
  store: RememberedLogStore,
  options: VerifyOptions = {},
): Promise<Verdict> {
  const remembered = await store.read();
  const { items: keys, handovers } = await logKeys(api);
  const trusted = remembered?.keys ?? keys;
  if (remembered !== null && !sameKeys(await successorsOf(remembered.keys, handovers), keys)) {
    throw new ClientError('client.log-keys-changed');
  }
  if (keys.length === 0) throw new ClientError('client.log-empty');
  const verdict = await verifyLog(remoteLogSource(api), {
    keys: trusted,
    ...(remembered === null ? {} : { remembered: { size: remembered.size, root: fromBase64Url(remembered.root) } }),
    ...options,
  });
  if (verdict.ok) await store.write({ keys: verdict.keys, size: verdict.size, root: toBase64Url(verdict.root) });
  return verdict;
}

/** The keys that the server says sign its log. */
export const verifierKeys = async (api: Api): Promise<string[]> => (await logKeys(api)).items;

/** And how they changed, as C2SP tlog-proofs. */
async function logKeys({ http }: Api): Promise<{ readonly items: string[]; readonly handovers: string[] }> {
  const answer = fields(await http.json({ method: 'GET', path: '/v1/audit/keys', repeatable: true }));
  return { items: texts(answer, 'items'), handovers: texts(answer, 'handovers') };
}

function texts(from: Fields, name: string): string[] {
  const value = from[name];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new ClientError('client.bad-answer', { detail: `Check "${name}".` });
}

/** Where the keys lead that this device trusts; what is no key leads nowhere. */
async function successorsOf(keys: readonly string[], handovers: readonly string[]): Promise<readonly string[]> {
  try {
    return (await followKeys(keys.map(parseVerifierKey), handovers)).keys;
  } catch (error) {
    if (error instanceof AuditLogError) return keys;
    throw error;
  }
}

const sameKeys = (left: readonly string[], right: readonly string[]): boolean =>
  JSON.stringify(left.toSorted()) === JSON.stringify(right.toSorted());

/** Tiles asked for at the same time. */
const TILES_AT_ONCE = 8;

/** A log source for `verifyLog`. Entries of other tenants are withheld: of them only the leaf hash is known. */
export function remoteLogSource(api: Api): LogSource {
  const { http } = api;

  async function tile({ level, index, width }: TilePlace): Promise<StoredTile | null> {
    const path = `/v1/audit/tiles/${level}/${index}`;
    try {
      const answer = fields(await http.json({ method: 'GET', path, query: { width }, repeatable: true }));
      return { hashes: decoded(answer, 'hashes') };
    } catch (error) {
      if (error instanceof ClientError && error.code === 'audit-log.unknown-tile') return null;
      throw error;
    }
  }

  return {
    async newestCheckpoint() {
      const answer = fields(await http.json({ method: 'GET', path: '/v1/audit/checkpoint', repeatable: true }));
      const note = textOrNull(answer, 'note');
      return note === null ? null : { note };
    },

    handovers: async () => (await logKeys(api)).handovers,

    // The server shows the newest only; this device's own memory takes the place of the others.
    checkpoints: () => Promise.resolve([]),

    async entries(from, to) {
      const found: LogEntry[] = [];
      for (let start = from; start < to;) {
        const query = { from: start, to };
        const answer = fields(await http.json({ method: 'GET', path: '/v1/audit/entries', query, repeatable: true }));
        found.push(...list(answer, 'items', readEntry));
        const next = Number(textOrNull(answer, 'next') ?? to);
        if (!Number.isSafeInteger(next) || next <= start)
          throw new ClientError('client.bad-answer', { detail: 'Check "next".' });
        start = next;
      }
      return found.filter(({ index }) => index >= from && index < to);
    },

    async tiles(places) {
      const found: (StoredTile | null)[] = [];
      for (let start = 0; start < places.length; start += TILES_AT_ONCE) {
        found.push(...(await Promise.all(places.slice(start, start + TILES_AT_ONCE).map(tile))));
      }
      return found;
    },

    settled: serverSettled,

    // What lies beside the tree is for the operator's own verification.
    strays: () => Promise.resolve([]),
  };
}

function readEntry(from: Fields): LogEntry {
  const { event, addressPrefix } = from;
  return {
    index: count(from, 'index'),
    leafHash: decoded(from, 'leafHash'),
    event: event === null ? 'withheld' : readEvent(fields(event, 'event')),
    addressPrefix: addressPrefix === null ? null : readOpening(fields(addressPrefix, 'addressPrefix')),
  };
}

const readOpening = (from: Fields): Opening => ({
  salt: decoded(from, 'salt'),
  value: text(from, 'value'),
});

function readEvent(from: Fields): EventColumns {
  const subjects = from['subjects'];
  if (!Array.isArray(subjects) || !subjects.every((subject) => typeof subject === 'string')) {
    throw new ClientError('client.bad-answer', { detail: 'Check "subjects".' });
  }
  return {
    eventId: text(from, 'eventId'),
    occurredAt: microseconds(text(from, 'occurredAt')),
    type: text(from, 'type'),
    outcome: text(from, 'outcome'),
    reason: textOrNull(from, 'reason'),
    actorKind: text(from, 'actorKind'),
    actor: textOrNull(from, 'actor'),
    actorVia: textOrNull(from, 'actorVia'),
    sessionId: textOrNull(from, 'sessionId'),
    tenantId: textOrNull(from, 'tenantId'),
    requestId: text(from, 'requestId'),
    addressCommitment: from['addressCommitment'] === null ? null : decoded(from, 'addressCommitment'),
    objectType: textOrNull(from, 'objectType'),
    objectId: textOrNull(from, 'objectId'),
    subjects,
    details: text(from, 'details'),
  };
}

/** Three decimals of a second, or six: the whole precision of the stored time. */
function microseconds(time: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})?Z$/.exec(time);
  const value = match === null ? Number.NaN : Date.parse(`${match[1]}Z`) * 1000 + Number(match[2] ?? 0);
  if (Number.isNaN(value)) throw new ClientError('client.bad-answer', { detail: 'Check "occurredAt".' });
  return value;
}
