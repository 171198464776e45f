/**
 * Encrypted fields beside AES-256-GCM of node:crypto alone: KeyObject, nonces from a pool, associated data made beforehand. Ours builds the whole context,
 * commits to the key, and takes a person's key out of the key tree; it is loaded, as it is from the second value of a transaction on.
 */
import { createCipheriv, createDecipheriv, generateKeySync, randomBytes, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEncryption, fileSlot, manifest } from '@strongroom/encryption';
import { newUuid } from '@strongroom/kernel';
import { inInstallation, openDatabase } from '@strongroom/storage';
import type { Case, Suite } from '../harness.ts';

const PEER = 'node:crypto';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
const database = await openDatabase({ kind: 'memory' }, [manifest]);
const encryption = await createEncryption({ slot: fileSlot(join(folder, 'root')) });
const subject = newUuid();
const keys = await database.transaction(inInstallation, (transaction) =>
  encryption.subjects(transaction, [subject], { create: true }),
);
await database.close();
rmSync(folder, { recursive: true });

const place = { tenant: newUuid(), table: 'accounts', column: 'email', row: newUuid(), subject };

const rawKey = generateKeySync('aes', { length: 256 });
const context = randomBytes(150);
const pool = Buffer.alloc(12 * 1024);
let next = pool.length;

function encryptRaw(plaintext: Uint8Array): { nonce: Buffer; ciphertext: Buffer; tag: Buffer } {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const nonce = pool.subarray(next, (next += 12));
  const cipher = createCipheriv('aes-256-gcm', rawKey, nonce);
  cipher.setAAD(context);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return { nonce, ciphertext, tag: cipher.getAuthTag() };
}

function decryptRaw(nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', rawKey, nonce);
  decipher.setAAD(context);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  decipher.final();
  return plaintext;
}

function casesFor(size: number, label: string): readonly Case[] {
  const plaintext = randomBytes(size);
  const value = keys.seal(place, plaintext);
  const raw = encryptRaw(plaintext);
  const nonce = Buffer.from(raw.nonce);
  if (!plaintext.equals(keys.open(place, value)) || !plaintext.equals(decryptRaw(nonce, raw.ciphertext, raw.tag))) {
    throw new Error(`encryption: results differ at ${label}`);
  }
  return [
    {
      name: `seal ${label}`,
      contenders: [
        { name: 'Strongroom', run: () => keys.seal(place, plaintext) },
        { name: PEER, run: () => encryptRaw(plaintext) },
      ],
    },
    {
      name: `open ${label}`,
      contenders: [
        { name: 'Strongroom', run: () => keys.open(place, value) },
        { name: PEER, run: () => decryptRaw(nonce, raw.ciphertext, raw.tag) },
      ],
    },
  ];
}

export default {
  title: 'Encrypted fields',
  peers: [],
  cases: () => [...casesFor(100, '100 B'), ...casesFor(1024, '1 KB')],
  atLeast: { contender: PEER, times: 0.6 },
} satisfies Suite;
