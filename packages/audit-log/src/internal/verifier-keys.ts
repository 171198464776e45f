import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { isPresent } from './signing-keys.ts';

/** Those of today in C2SP form, Ed25519 first. */
export async function readVerifierKeys(transaction: Transaction): Promise<string[]> {
  const { rows } = await sql<{ verifier_key: string }>`
    select verifier_key from audit_signing_keys where ${isPresent} order by algorithm`.execute(transaction);
  return rows.map((row) => row.verifier_key);
}

/** Every change of the keys, as C2SP tlog-proofs in the order of the log. */
export async function readHandovers(transaction: Transaction): Promise<string[]> {
  const { rows } = await sql<{ proof: string }>`
    select proof from audit_key_handovers order by size`.execute(transaction);
  return rows.map(({ proof }) => proof);
}
