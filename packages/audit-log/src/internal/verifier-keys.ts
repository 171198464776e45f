import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';

/** Verifier keys in C2SP form, Ed25519 first. */
export async function readVerifierKeys(transaction: Transaction): Promise<string[]> {
  const { rows } = await sql<{ verifier_key: string }>`
    select verifier_key from audit_signing_keys order by algorithm`.execute(transaction);
  return rows.map((row) => row.verifier_key);
}
