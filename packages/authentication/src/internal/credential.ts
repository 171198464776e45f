/**
 * The credential of a vault client: 32 bytes that the client derives from the password. The server never sees the
 * password, so Argon2id was done by the client; here a keyed hash is enough, and a copy of the database without the
 * installation's root is not enough to test guesses against.
 */
import type { Encryption } from '@strongroom/encryption';
import { equalBytes, lengthPrefixed, type Uuid } from '@strongroom/kernel';

export type Proof = 'password' | 'recovery';

/** Bound to account and kind: the same secret elsewhere has another verifier. */
export function verifierOf(encryption: Encryption, kind: Proof, account: Uuid, secret: Uint8Array): Uint8Array {
  return encryption.keyedHash('authentication.verifier', lengthPrefixed(kind, account, secret));
}

interface Verifiable {
  readonly id: Uuid;
  readonly verifier: Uint8Array;
}

/** Stands in for an unknown account. No account can have this id: its time is that of 1970. */
const nobody: Verifiable = { id: '00000000-0000-7000-8000-000000000000' as Uuid, verifier: new Uint8Array(32) };

/** The account if the secret is its own. Does the same work when there is no account. */
export function proved<Account extends Verifiable>(
  encryption: Encryption,
  account: Account | undefined,
  secret: Uint8Array,
  kind: Proof = 'password',
): Account | undefined {
  const expected = account ?? nobody;
  const matches = equalBytes(verifierOf(encryption, kind, expected.id, secret), expected.verifier);
  return matches ? account : undefined;
}
