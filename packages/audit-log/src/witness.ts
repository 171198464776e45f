/** A C2SP tlog-witness: cosigns a log's checkpoint when it continues the one cosigned before, and never anything else. */
import { createHash } from 'node:crypto';
import { type Clock, equalBytes, fromBase64, fromUtf8, utf8 } from '@strongroom/kernel';
import { type Checkpoint, parseCheckpoint, signatureReader } from './checkpoint.ts';
import { AuditLogError } from './errors.ts';
import { cosign, type Cosigner } from './internal/cosigner.ts';
import { emptyRoot, HASH_LENGTH } from './merkle.ts';
import { verifyConsistency } from './proofs.ts';
import { formatNote, formatVerifierKey, parseNote, type VerifierKey } from './signed-note.ts';
import type { WitnessState } from './witness-state.ts';

/** tlog-cosignature: bytes of `log_origin`. */
const LONGEST_ORIGIN = 255;

/** tlog-witness: more proof lines than this are never needed. */
const MAXIMUM_PROOF_LINES = 63;

/** Bytes of an `add-checkpoint` request: 63 hashes and a checkpoint with several ML-DSA-44 signatures fit several times. */
export const MAXIMUM_REQUEST = 256 * 1024;

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
}

export interface Witness {
  /** The verifier keys to trust, as they stand in policies. */
  readonly keys: readonly VerifierKey[];
  /** `POST <prefix>/add-checkpoint`. Rejects when the state cannot be read or written; then nothing was cosigned. */
  addCheckpoint(request: Uint8Array): Promise<WitnessAnswer>;
  /** `GET <prefix>/<origin hash>/checkpoint`: the newest cosigned checkpoint. */
  latest(originHash: string): Promise<WitnessAnswer>;
}

export interface WitnessOptions {
  readonly cosigners: readonly Cosigner[];
  /**
   * Keys of the logs; those of one log have its origin as their name, and one of them must have signed. Of several for the same algorithm each succeeds the one
   * before it: what a former one signs counts until its successor has signed, and never again.
   */
  readonly logs: readonly VerifierKey[];
  readonly state: WitnessState;
  readonly clock: Clock;
}

const TEXT = 'text/plain; charset=utf-8';
const SIZE_TYPE = 'text/x.tlog.size';

const refuse = (status: WitnessAnswer['status'], why: string): WitnessAnswer => ({
  status,
  contentType: TEXT,
  body: `${why}\n`,
});

/** tlog-witness, "Monitor Retrieval Mechanism": SHA-256 of the origin in lower-case hexadecimal. */
export const hashOfOrigin = (origin: string): string => createHash('sha256').update(origin).digest('hex');

const NO_KNOWN_KEY =
  'The checkpoint is not signed by a present key of the log. If its keys have changed, start the witness with the new ones behind the former ones: --log or --policy.';

/** Throws `audit-log.invalid-key` for a log whose origin no cosignature could hold. */
export function createWitness({ cosigners, logs, state, clock }: WitnessOptions): Witness {
  const distinct = new Map(logs.map((key) => [formatVerifierKey(key), key])).values();
  const keysOf = Map.groupBy(distinct, ({ name }) => name);
  if ([...keysOf.keys()].some((origin) => utf8(origin).length > LONGEST_ORIGIN)) {
    throw new AuditLogError('audit-log.invalid-key', { detail: 'The origin of a log is too long.' });
  }
  const origins = new Map([...keysOf.keys()].map((origin) => [hashOfOrigin(origin), origin]));
  /** The last request about each log: comparing and storing must not interleave with another. */
  const busy = new Map<string, Promise<unknown>>();

  function inTurn<Result>(origin: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (busy.get(origin) ?? Promise.resolve()).then(work, work);
    busy.set(origin, turn);
    return turn;
  }

  /** What was cosigned last. Throws `audit-log.witness-state` unless this witness itself signed what is stored. */
  async function lastCosigned(origin: string): Promise<Pick<Checkpoint, 'size' | 'root'>> {
    const stored = await state.read(hashOfOrigin(origin));
    if (stored === null) return { size: 0, root: emptyRoot() };
    const own = await signatureReader(cosigners.map(({ key }) => key));
    const signed = await own.read(stored).catch(() => []);
    const checkpoint = signed.length === 0 ? null : parseCheckpoint(parseNote(stored).text);
    if (checkpoint?.origin !== origin)
      throw new AuditLogError('audit-log.witness-state', { detail: `Of log ${origin}.` });
    return checkpoint;
  }

  /** Those that were not succeeded by another one under what was cosigned last. */
  async function presentKeys(origin: string, keys: readonly VerifierKey[]): Promise<readonly VerifierKey[]> {
    const stored = await state.read(hashOfOrigin(origin));
    if (stored === null) return keys;
    const reader = await signatureReader(keys);
    const signed = await reader.read(stored).catch((cause: unknown) => {
      throw new AuditLogError('audit-log.witness-state', { detail: `Of log ${origin}.`, cause });
    });
    const used = new Set(signed.map(({ key }) => key.id));
    return keys.filter(
      ({ algorithm }, place) => !keys.slice(place + 1).some((key) => key.algorithm === algorithm && used.has(key.id)),
    );
  }

  /** `by`: the present keys of the log that signed the checkpoint. */
  async function judge(request: AddCheckpoint, origin: string, by: readonly VerifierKey[]): Promise<WitnessAnswer> {
    const { oldSize, proof, note, checkpoint } = request;
    if (oldSize > checkpoint.size) return refuse(400, 'The old size is larger than the checkpoint.');
    const last = await lastCosigned(origin);
    if (oldSize !== last.size) return { status: 409, contentType: SIZE_TYPE, body: `${last.size}\n` };
    const problem = inconsistency(last, checkpoint, proof);
    if (problem !== null) return refuse(422, problem);
    const timestamp = Math.floor(clock.now() / 1000);
    const lines = cosigners.map((cosigner) => cosign(cosigner, parseNote(note).text, timestamp)).join('');
    await state.write(hashOfOrigin(origin), signedBy(note, by) + lines);
    return { status: 200, contentType: TEXT, body: lines };
  }

  return {
    keys: cosigners.map(({ key }) => key),
    async addCheckpoint(bytes) {
      const request = parseRequest(bytes);
      if (request === null) return refuse(400, 'The request is not well-formed.');
      const { origin } = request.checkpoint;
      const keys = keysOf.get(origin);
      if (keys === undefined) return refuse(404, 'The log is not known here.');
      return inTurn(origin, async () => {
        const reader = await signatureReader(await presentKeys(origin, keys));
        const signed = await reader.read(request.note).catch(() => []);
        if (signed.length === 0) return refuse(403, NO_KNOWN_KEY);
        return judge(
          request,
          origin,
          signed.map(({ key }) => key),
        );
      });
    },
    async latest(originHash) {
      const origin = origins.get(originHash);
      if (origin === undefined) return refuse(404, 'The log is not known here.');
      return inTurn(origin, async () => {
        await lastCosigned(origin);
        const stored = await state.read(originHash);
        return stored === null
          ? refuse(404, 'Nothing of the log was cosigned yet.')
          : { status: 200, contentType: TEXT, body: stored };
      });
    },
  };
}

/** Null when the newer tree continues the older one. */
function inconsistency(
  last: Pick<Checkpoint, 'size' | 'root'>,
  next: Checkpoint,
  proof: readonly Uint8Array[],
): string | null {
  if (next.size === 0 && !equalBytes(next.root, emptyRoot())) return 'An empty tree has another root.';
  if (last.size === 0) return proof.length === 0 ? null : 'Nothing is to be proved from size 0.';
  const claim = { older: last.size, newer: next.size, olderRoot: last.root, newerRoot: next.root };
  return verifyConsistency(claim, proof) ? null : 'The tree does not continue the one that was cosigned.';
}

/**
 * The note with one signature by each of these keys. Whoever sends a checkpoint can add lines to it: one that was not verified, or the same a hundred times, would
 * make what is kept unreadable.
 */
function signedBy(note: string, keys: readonly VerifierKey[]): string {
  const { text, signatures } = parseNote(note);
  return formatNote(
    text,
    keys.map(({ name, id }) => signatures.find((line) => line.name === name && line.keyId === id)!),
  );
}

interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** Null for what is not well-formed. */
function parseRequest(bytes: Uint8Array): AddCheckpoint | null {
  try {
    const text = fromUtf8(bytes);
    const gap = text.indexOf('\n\n');
    const [first = '', ...lines] = text.slice(0, Math.max(gap, 0)).split('\n');
    const [, digits] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
    const oldSize = Number(digits);
    if (!Number.isSafeInteger(oldSize) || lines.length > MAXIMUM_PROOF_LINES) return null;
    const proof = lines.map(fromBase64);
    if (proof.some((hash) => hash.length !== HASH_LENGTH)) return null;
    const note = text.slice(gap + 2);
    return { oldSize, proof, note, checkpoint: parseCheckpoint(parseNote(note).text) };
  } catch {
    // Neither UTF-8, base64, a note nor a checkpoint.
    return null;
  }
}
