/** The log's own keys: private halves encrypted in the database, held as KeyObjects. Those of today are the ones that no change of keys has replaced. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Encryption } from '@strongroom/encryption';
import { fromBase64Url, newUuid, utf8 } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { type Checkpoint, cosignedMessage, formatCheckpoint, timestampedSignature } from '../checkpoint.ts';
import { AuditLogError } from '../errors.ts';
import { formatNote, formatVerifierKey, type NoteSignature, type VerifierKey, verifierKey } from '../signed-note.ts';
import type { SignatureAlgorithm } from './signature-types.ts';

interface SigningKey {
  readonly verifier: VerifierKey;
  readonly privateKey: KeyObject;
}

/** Both sign every checkpoint, and verifiers ask for both: forging one needs breaking elliptic curves and lattices. */
export interface SigningKeys {
  readonly ed25519: SigningKey;
  readonly mldsa: SigningKey;
}

export const keysOf = ({ ed25519, mldsa }: SigningKeys): VerifierKey[] => [ed25519.verifier, mldsa.verifier];

const place = (keyId: string) => ({
  tenant: null,
  table: 'audit_signing_keys',
  column: 'private_key',
  row: keyId,
  subject: null,
});

function rawPublicKey(algorithm: SignatureAlgorithm, key: KeyObject): Uint8Array {
  const jwk = key.export({ format: 'jwk' });
  const encoded: unknown = algorithm === 'ed25519' ? jwk['x'] : jwk['pub'];
  if (typeof encoded !== 'string') throw new AuditLogError('audit-log.invalid-key');
  return fromBase64Url(encoded);
}

function newKey(origin: string, algorithm: SignatureAlgorithm): SigningKey {
  const { publicKey, privateKey } =
    algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ml-dsa-44');
  return { verifier: verifierKey(origin, algorithm, rawPublicKey(algorithm, publicKey)), privateKey };
}

/** Makes both keys and with them the log's identity: `strongroom/` and a random id. */
export async function createSigningKeys(
  transaction: Transaction,
  encryption: Encryption,
  now: number,
): Promise<SigningKeys> {
  return createKeys(transaction, encryption, `strongroom/${newUuid(now)}`, now);
}

/** New keys of a log that has some already, or has not. */
export async function createKeys(
  transaction: Transaction,
  encryption: Encryption,
  origin: string,
  now: number,
): Promise<SigningKeys> {
  const keys = { ed25519: newKey(origin, 'ed25519'), mldsa: newKey(origin, 'ml-dsa-44') };
  // Of the present version, also where another server made it: under a former one they would be lost with it.
  const present = await encryption.subjects(transaction, []);
  for (const { verifier, privateKey } of [keys.ed25519, keys.mldsa]) {
    const encoded = privateKey.export({ type: 'pkcs8', format: 'der' });
    const sealed = present.seal(place(verifier.id), encoded);
    encoded.fill(0);
    await sql`insert into audit_signing_keys (key_id, algorithm, verifier_key, private_key, created_at)
      values (${verifier.id}, ${verifier.algorithm}, ${formatVerifierKey(verifier)}, ${sealed}, ${new Date(now)})`.execute(
      transaction,
    );
  }
  return keys;
}

/** Of a row of `audit_signing_keys`: nothing has succeeded it. */
export const isPresent = sql<boolean>`not exists (select from audit_key_handovers as h where key_id = any(h.former))`;

const idsOf = (keys: SigningKeys): string[] => keysOf(keys).map(({ id }) => id);

/** Takes note of the change, and forgets the private halves that signed until now. */
export async function insertHandover(
  transaction: Transaction,
  former: SigningKeys,
  { size, proof, now }: { readonly size: number; readonly proof: string; readonly now: number },
): Promise<void> {
  await sql`insert into audit_key_handovers (size, former, proof, signed_at)
    values (${size}, ${idsOf(former)}::text[], ${proof}, ${new Date(now)})`.execute(transaction);
  await sql`update audit_signing_keys set private_key = null where key_id = any(${idsOf(former)}::text[])`.execute(
    transaction,
  );
}

/** `known`: those that this process holds; they are given back while they are the present ones. `undefined` when there are none yet. Throws `audit-log.damaged` when one is missing or is not what its row says. */
export async function loadSigningKeys(
  transaction: Transaction,
  encryption: Encryption,
  known?: SigningKeys,
): Promise<SigningKeys | undefined> {
  const { rows } = await sql<{
    key_id: string;
    algorithm: string;
    verifier_key: string;
    private_key: Uint8Array | null;
  }>`
    select key_id, algorithm, verifier_key, private_key from audit_signing_keys where ${isPresent}`.execute(
    transaction,
  );
  if (rows.length === 0) return undefined;
  if (known !== undefined && rows.every(({ key_id }) => idsOf(known).includes(key_id))) return known;
  const present = await encryption.subjects(transaction, []);
  const keys = rows.map((row) => {
    if (row.private_key === null) throw damagedKeys();
    const encoded = present.open(place(row.key_id), row.private_key);
    const privateKey = createPrivateKey({ key: Buffer.from(encoded), type: 'pkcs8', format: 'der' });
    encoded.fill(0);
    const algorithm = row.algorithm === 'ed25519' ? 'ed25519' : 'ml-dsa-44';
    const [origin = ''] = row.verifier_key.split('+');
    const verifier = verifierKey(origin, algorithm, rawPublicKey(algorithm, createPublicKey(privateKey)));
    if (formatVerifierKey(verifier) !== row.verifier_key || verifier.id !== row.key_id) throw damagedKeys();
    return { verifier, privateKey };
  });
  const ed25519 = keys.find(({ verifier }) => verifier.algorithm === 'ed25519');
  const mldsa = keys.find(({ verifier }) => verifier.algorithm === 'ml-dsa-44');
  if (ed25519 === undefined || mldsa === undefined || ed25519.verifier.name !== mldsa.verifier.name)
    throw damagedKeys();
  return { ed25519, mldsa };
}

const damagedKeys = () => new AuditLogError('audit-log.damaged', { detail: 'A signing key is not the one it was.' });

/** The signed note over a tree. `timestamp`: seconds since the epoch. `signers`: the keys, and their successors where they are handed over. */
export function signCheckpoint(
  signers: readonly [SigningKeys, ...SigningKeys[]],
  tree: Omit<Checkpoint, 'origin'>,
  timestamp: number,
): string {
  const checkpoint = { ...tree, origin: signers[0].ed25519.verifier.name };
  const text = formatCheckpoint(checkpoint);
  const message = cosignedMessage(checkpoint.origin, timestamp, checkpoint);
  const lines = signers.flatMap((keys) => [
    line(keys.ed25519, sign(null, utf8(text), keys.ed25519.privateKey)),
    line(keys.mldsa, timestampedSignature(timestamp, sign(null, message, keys.mldsa.privateKey))),
  ]);
  return formatNote(text, lines);
}

const line = ({ verifier }: SigningKey, signature: Uint8Array): NoteSignature => ({
  name: verifier.name,
  keyId: verifier.id,
  signature,
});
