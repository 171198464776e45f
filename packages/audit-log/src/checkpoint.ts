/** C2SP tlog-checkpoint: origin, tree size and root, signed with Ed25519 (signed-note) and ML-DSA-44 (tlog-cosignature). */
import { type Bytes, concatBytes, fromBase64, toBase64, utf8 } from '@strongroom/kernel';
import { importVerifier } from '#signatures';
import { AuditLogError } from './errors.ts';
import { type NoteSignature, parseNote, type VerifierKey } from './signed-note.ts';
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
 * Parses a note's text. Throws `audit-log.invalid-note`. Extension lines are refused: ML-DSA-44 cosignatures do not cover them,
 * and this log writes none.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = '', digits = '', encoded = ''] =
    /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  const size = Number(digits);
  if (origin === '' || !Number.isSafeInteger(size)) throw new AuditLogError('audit-log.invalid-note');
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
  /** Seconds since the epoch, as stated under the ML-DSA-44 signature; `null` when no such key was asked for. */
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

/** `keys`: all of one log, that is, with the log's origin as their name; at least one. */
export async function checkpointVerifier(keys: readonly VerifierKey[]): Promise<CheckpointVerifier> {
  const origin = keys[0]?.name;
  if (origin === undefined || keys.some((key) => key.name !== origin)) {
    throw new AuditLogError('audit-log.invalid-key', { detail: 'Give the keys of exactly one log.' });
  }
  const verifiers = await Promise.all(
    keys.map(async (key) => ({ key, verify: await importVerifier(key.algorithm, key.publicKey) })),
  );
  return {
    origin,
    verify: async (note) => {
      const { text, signatures } = parseNote(note);
      const checkpoint = parseCheckpoint(text);
      if (checkpoint.origin !== origin) {
        throw new AuditLogError('audit-log.invalid-note', { detail: 'The checkpoint is of another log.' });
      }
      let timestamp: number | null = null;
      for (const { key, verify } of verifiers) {
        const mine = signatures.filter((line) => line.name === key.name && line.keyId === key.id);
        if (mine.length === 0) {
          throw new AuditLogError('audit-log.invalid-note', { detail: `Not signed by key ${key.id}.` });
        }
        for (const line of mine) {
          if (key.algorithm === 'ed25519') await requireGood(verify, utf8(text), line.signature, key);
          else timestamp = await verifyCosignature(verify, checkpoint, line, key);
        }
      }
      return { ...checkpoint, timestamp };
    },
  };
}

async function verifyCosignature(
  verify: VerifySignature,
  checkpoint: Checkpoint,
  line: NoteSignature,
  key: VerifierKey,
): Promise<number> {
  if (line.signature.length <= TIMESTAMP_LENGTH) throw new AuditLogError('audit-log.invalid-note');
  const view = new DataView(line.signature.buffer, line.signature.byteOffset, TIMESTAMP_LENGTH);
  const timestamp = Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(timestamp)) throw new AuditLogError('audit-log.invalid-note');
  const message = cosignedMessage(line.name, timestamp, checkpoint);
  await requireGood(verify, message, line.signature.subarray(TIMESTAMP_LENGTH), key);
  return timestamp;
}

async function requireGood(verify: VerifySignature, message: Uint8Array, signature: Uint8Array, key: VerifierKey) {
  // Some implementations throw on a signature of the wrong length instead of answering no.
  const good = await verify(message, signature).catch(() => false);
  if (!good) {
    throw new AuditLogError('audit-log.invalid-note', { detail: `The signature by key ${key.id} is wrong.` });
  }
}
