/** C2SP tlog-checkpoint: origin, tree size and root, signed with Ed25519 (signed-note) and ML-DSA-44 (tlog-cosignature). */
import { type Bytes, concatBytes, fromBase64, toBase64, utf8 } from '@strongroom/kernel';
import { importVerifier } from '#signatures';
import { AuditLogError } from './errors.ts';
import { type NoteSignature, parseNote, type SignedNote, type VerifierKey } from './signed-note.ts';
import type { VerifySignature } from './internal/signature-types.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${toBase64(root)}\n`;

/**
 * Parses a note's text. Throws `audit-log.invalid-note`, also for more than 2^53 - 1 entries. Extension lines are passed over: they are opaque, this log writes
 * none, and ML-DSA-44 signatures do not cover them.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = '', digits = '', encoded = '', extensions = ''] =
    /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n([^]*)$/.exec(text) ?? [];
  const size = Number(digits);
  const areLines = extensions === '' || (extensions.endsWith('\n') && !/^\n|\n\n/.test(extensions));
  if (origin === '' || !Number.isSafeInteger(size) || !areLines) throw new AuditLogError('audit-log.invalid-note');
  try {
    return { origin, size, root: fromBase64(encoded) };
  } catch (cause) {
    throw new AuditLogError('audit-log.invalid-note', { cause });
  }
}

/** tlog-cosignature, `cosigned_message`: label, name and origin with one length byte, big-endian 64-bit numbers. */
const SUBTREE_LABEL = utf8('subtree/v1\n\0');

/** Bytes of `timestamp` before the signature in `timestamped_signature`. */
const TIMESTAMP_LENGTH = 8;

/** What the ML-DSA-44 key signs: a statement that `name` saw this tree at `timestamp` (seconds since the epoch). */
export function cosignedMessage(name: string, timestamp: number, checkpoint: Checkpoint): Bytes {
  return concatBytes(
    SUBTREE_LABEL,
    shortString(name),
    uint64(timestamp),
    shortString(checkpoint.origin),
    uint64(0),
    uint64(checkpoint.size),
    checkpoint.root,
  );
}

/** `timestamped_signature`. */
export const timestampedSignature = (timestamp: number, signature: Uint8Array): Bytes =>
  concatBytes(uint64(timestamp), signature);

function shortString(text: string): Bytes {
  const bytes = utf8(text);
  if (bytes.length === 0 || bytes.length > 0xff) throw new AuditLogError('audit-log.invalid-note');
  return concatBytes(new Uint8Array([bytes.length]), bytes);
}

function uint64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export interface VerifiedCheckpoint extends Checkpoint {
  /** Seconds since the epoch, as stated under the newest timestamped signature asked for; `null` when there is none. */
  readonly timestamp: number | null;
}

/** Reads and judges checkpoints of one log. */
export interface CheckpointVerifier {
  readonly origin: string;
  /**
   * Throws `audit-log.invalid-note` unless the note is well-formed, of this origin, and carries a good signature by *every* key.
   * Signatures by unknown keys are ignored, as signed-note asks.
   */
  verify(note: string | Uint8Array): Promise<VerifiedCheckpoint>;
}

/**
 * `keys`: all of one log; at least one. They have the log's origin as their name, unless it is given: tlog-checkpoint recommends that they do, and no more. Throws
 * `audit-log.invalid-key`.
 */
export async function checkpointVerifier(
  keys: readonly VerifierKey[],
  givenOrigin?: string,
): Promise<CheckpointVerifier> {
  const origin = givenOrigin ?? keys[0]?.name;
  const areOfOneLog = givenOrigin !== undefined || keys.every(({ name }) => name === origin);
  if (origin === undefined || keys.length === 0 || !areOfOneLog) {
    throw new AuditLogError('audit-log.invalid-key', { detail: 'Give the keys of exactly one log.' });
  }
  const verifiers = await importKeys(keys);
  return {
    origin,
    verify: async (note) => {
      const parsed = parseNote(note);
      const checkpoint = parseCheckpoint(parsed.text);
      if (checkpoint.origin !== origin) {
        throw new AuditLogError('audit-log.invalid-note', { detail: 'The checkpoint is of another log.' });
      }
      let timestamp: number | null = null;
      for (const verifier of verifiers) {
        const signed = await verifySignatures(verifier, parsed, checkpoint);
        if (signed === undefined) {
          throw new AuditLogError('audit-log.invalid-note', { detail: `Not signed by key ${verifier.key.id}.` });
        }
        timestamp = signed.timestamp ?? timestamp;
      }
      return { ...checkpoint, timestamp };
    },
  };
}

/** Reads which witnesses cosigned a checkpoint. */
export interface CosignatureReader {
  /**
   * The given keys that cosigned the note, with their timestamps in seconds; 0 where a signer says that the log continues what it saw, and not that it never saw
   * more (tlog-cosignature). Throws `audit-log.invalid-note` when one of them is named under a wrong signature: signed-note calls such a note malformed.
   */
  read(note: string | Uint8Array): Promise<readonly { readonly key: VerifierKey; readonly timestamp: number }[]>;
}

export async function cosignatureReader(keys: readonly VerifierKey[]): Promise<CosignatureReader> {
  const reader = await signatureReader(keys);
  return {
    read: async (note) =>
      (await reader.read(note)).flatMap(({ key, timestamp }) => (timestamp === null ? [] : [{ key, timestamp }])),
  };
}

/** Reads which of some keys signed a checkpoint, whatever the form of their signatures. Throws like `CosignatureReader.read`. */
export async function signatureReader(keys: readonly VerifierKey[]) {
  const verifiers = await importKeys(keys);
  return {
    read: async (note: string | Uint8Array) => {
      const parsed = parseNote(note);
      const checkpoint = parseCheckpoint(parsed.text);
      const found: { readonly key: VerifierKey; readonly timestamp: number | null }[] = [];
      for (const verifier of verifiers) {
        const signed = await verifySignatures(verifier, parsed, checkpoint);
        if (signed !== undefined) found.push({ key: verifier.key, timestamp: signed.timestamp });
      }
      return found;
    },
  };
}

interface ImportedKey {
  readonly key: VerifierKey;
  readonly verify: VerifySignature;
}

const importKeys = (keys: readonly VerifierKey[]): Promise<ImportedKey[]> =>
  Promise.all(keys.map(async (key) => ({ key, verify: await importVerifier(key.algorithm, key.publicKey) })));

/** `undefined` when no line is by this key. Every line that is must be good. */
async function verifySignatures(
  { key, verify }: ImportedKey,
  note: SignedNote,
  checkpoint: Checkpoint,
): Promise<{ readonly timestamp: number | null } | undefined> {
  let signed: { readonly timestamp: number | null } | undefined;
  for (const line of note.signatures) {
    if (line.name !== key.name || line.keyId !== key.id) continue;
    const timestamp = key.algorithm === 'ed25519' ? null : timestampOf(line);
    const bytes = timestamp === null ? line.signature : line.signature.subarray(TIMESTAMP_LENGTH);
    // Some implementations throw on a signature of the wrong length instead of answering no.
    const good = await verify(signedBytes(key, note.text, checkpoint, timestamp), bytes).catch(() => false);
    if (!good) {
      throw new AuditLogError('audit-log.invalid-note', { detail: `The signature by key ${key.id} is wrong.` });
    }
    signed = { timestamp };
  }
  return signed;
}

/** What stands under a signature by this key. */
function signedBytes(key: VerifierKey, text: string, checkpoint: Checkpoint, timestamp: number | null): Bytes {
  if (timestamp === null) return utf8(text);
  return key.algorithm === 'ml-dsa-44'
    ? cosignedMessage(key.name, timestamp, checkpoint)
    : cosignedNote(timestamp, text);
}

/** tlog-cosignature, "Ed25519 signed message". `timestamp`: seconds since the epoch. */
export const cosignedNote = (timestamp: number, text: string): Bytes =>
  utf8(`cosignature/v1\ntime ${timestamp}\n${text}`);

function timestampOf({ signature }: NoteSignature): number {
  if (signature.length <= TIMESTAMP_LENGTH) throw new AuditLogError('audit-log.invalid-note');
  const timestamp = Number(new DataView(signature.buffer, signature.byteOffset, TIMESTAMP_LENGTH).getBigUint64(0));
  if (!Number.isSafeInteger(timestamp)) throw new AuditLogError('audit-log.invalid-note');
  return timestamp;
}
