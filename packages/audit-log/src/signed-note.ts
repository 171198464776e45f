/** C2SP signed-note: text, an empty line, and signature lines; and verifier keys. */
import { type Bytes, concatBytes, fromBase64, fromUtf8, toBase64, toHex, uint32, utf8 } from '@strongroom/kernel';
import { sha256 } from '#sha256';
import { AuditLogError } from './errors.ts';
import type { NoteAlgorithm } from './internal/signature-types.ts';

/** signed-note, "Signature types". Both cosignatures are the timestamped forms of tlog-cosignature. */
const SIGNATURE_TYPES: Readonly<Record<NoteAlgorithm, number>> = {
  ed25519: 0x01,
  'ed25519-cosignature': 0x04,
  'ml-dsa-44': 0x06,
};

/** RFC 8032 §5.1.5 and FIPS 204 table 2, in bytes. */
const PUBLIC_KEY_LENGTHS: Readonly<Record<NoteAlgorithm, number>> = {
  ed25519: 32,
  'ed25519-cosignature': 32,
  'ml-dsa-44': 1312,
};

const KEY_ID_LENGTH = 4;

/**
 * signed-note asks for at least 16 to be accepted. As many as a log and the 32 witnesses of a policy need with two keys each, and as many again; more
 * would only be there to waste time.
 */
export const MAXIMUM_SIGNATURES = 128;

/** tlog-cosignature: an ML-DSA-44 signature covers the name of its key, whose length has one byte. */
const LONGEST_COSIGNER_NAME = 255;

export interface VerifierKey {
  readonly name: string;
  /** Eight lower-case hexadecimal digits. */
  readonly id: string;
  readonly algorithm: NoteAlgorithm;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** Eight lower-case hexadecimal digits. */
  readonly keyId: string;
  /** What follows the key id. */
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Unicode spaces and `+` would make a name ambiguous in a signature line or in a vkey. */
const isKeyName = (name: string): boolean => name !== '' && !/[\p{White_Space}+]/u.test(name) && !hasControl(name);

/** Computes the key id: SHA-256(name, newline, signature type, public key), first four bytes. */
export function verifierKey(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new AuditLogError('audit-log.invalid-key', { detail: 'The key name is not usable.' });
  if (publicKey.length !== PUBLIC_KEY_LENGTHS[algorithm]) {
    throw new AuditLogError('audit-log.invalid-key', { detail: 'The public key has the wrong length.' });
  }
  if (algorithm === 'ml-dsa-44' && utf8(name).length > LONGEST_COSIGNER_NAME) {
    throw new AuditLogError('audit-log.invalid-key', { detail: 'The key name is too long for its algorithm.' });
  }
  const type = new Uint8Array([SIGNATURE_TYPES[algorithm]]);
  const digest = sha256(concatBytes(utf8(`${name}\n`), type, publicKey));
  return { name, id: toHex(digest.subarray(0, KEY_ID_LENGTH)), algorithm, publicKey };
}

export function formatVerifierKey(key: VerifierKey): string {
  const type = new Uint8Array([SIGNATURE_TYPES[key.algorithm]]);
  return `${key.name}+${key.id}+${toBase64(concatBytes(type, key.publicKey))}`;
}

/** Throws `audit-log.invalid-key`, also when the id does not belong to the key. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const material = decodeBase64(encoded, 'audit-log.invalid-key');
  const algorithm = algorithmOf(material[0]);
  if (algorithm === undefined) throw new AuditLogError('audit-log.invalid-key');
  const key = verifierKey(name, algorithm, material.subarray(1));
  if (key.id !== id) throw new AuditLogError('audit-log.invalid-key', { detail: 'The key id is that of another key.' });
  return key;
}

function algorithmOf(type: number | undefined): NoteAlgorithm | undefined {
  const algorithms: readonly NoteAlgorithm[] = ['ed25519', 'ed25519-cosignature', 'ml-dsa-44'];
  return algorithms.find((algorithm) => SIGNATURE_TYPES[algorithm] === type);
}

/** Throws `audit-log.invalid-note` for a text that cannot be carried by a note. */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || hasControl(text.replaceAll('\n', ''))) throw new AuditLogError('audit-log.invalid-note');
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`;
}

/** One line with its newline. Throws `audit-log.invalid-note` for a name that cannot stand in one. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name)) throw new AuditLogError('audit-log.invalid-note', { detail: 'A key name is not usable.' });
  return `— ${name} ${toBase64(concatBytes(uint32(Number.parseInt(keyId, 16)), signature))}\n`;
}

/** Throws `audit-log.invalid-note`. Says nothing yet about whether a signature is good. */
export function parseNote(note: string | Uint8Array): SignedNote {
  const whole = typeof note === 'string' ? note : decodeText(note);
  if (hasControl(whole.replaceAll('\n', ''))) throw new AuditLogError('audit-log.invalid-note');
  const gap = whole.lastIndexOf('\n\n');
  if (gap === -1 || !whole.endsWith('\n')) throw new AuditLogError('audit-log.invalid-note');
  const lines = whole.slice(gap + 2, -1).split('\n');
  if (lines.length > MAXIMUM_SIGNATURES)
    throw new AuditLogError('audit-log.invalid-note', { detail: 'Too many signatures.' });
  return { text: whole.slice(0, gap + 1), signatures: lines.map(parseSignatureLine) };
}

/** A line without its newline. Throws `audit-log.invalid-note`. */
export function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded, 'audit-log.invalid-note');
  if (!isKeyName(name) || bytes.length <= KEY_ID_LENGTH) throw new AuditLogError('audit-log.invalid-note');
  return { name, keyId: toHex(bytes.subarray(0, KEY_ID_LENGTH)), signature: bytes.subarray(KEY_ID_LENGTH) };
}

function decodeBase64(text: string, code: 'audit-log.invalid-note' | 'audit-log.invalid-key'): Bytes {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new AuditLogError(code, { cause });
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new AuditLogError('audit-log.invalid-note', { cause });
  }
}

/** signed-note forbids the ASCII control characters; DEL is not among them. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) < 0x20) return true;
  return false;
}
