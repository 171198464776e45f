/** Which of a policy's logs a checkpoint is from (C2SP tlog-policy). */
import { parseCheckpoint, signatureReader } from './checkpoint.ts';
import { AuditLogError } from './errors.ts';
import type { Policy } from './policy.ts';
import { formatVerifierKey, parseNote, type VerifierKey } from './signed-note.ts';

/**
 * The vkeys by which a checkpoint is to be judged: tlog-policy takes what any one of the listed logs has signed, so these are the listed keys of its origin that
 * signed it. Where none did, those that should have: whoever verifies with them is told what is wrong. Empty for a policy without logs.
 */
export async function logKeysFor({ logs }: Policy, note: string): Promise<readonly string[]> {
  const keys = logs.map(({ key }) => key);
  const expected = keysOf(keys, originOf(note) ?? '');
  const wanted = expected.length > 0 ? expected : keysOf(keys, keys[0]?.name ?? '');
  const signed = await signersAmong(wanted, note);
  return (signed.length > 0 ? signed : wanted).map(formatVerifierKey);
}

const keysOf = (keys: readonly VerifierKey[], origin: string) => keys.filter(({ name }) => name === origin);

function originOf(note: string): string | undefined {
  try {
    return parseCheckpoint(parseNote(note).text).origin;
  } catch (error) {
    if (error instanceof AuditLogError) return undefined;
    throw error;
  }
}

async function signersAmong(keys: readonly VerifierKey[], note: string): Promise<readonly VerifierKey[]> {
  try {
    return (await (await signatureReader(keys)).read(note)).map(({ key }) => key);
  } catch (error) {
    if (error instanceof AuditLogError) return [];
    throw error;
  }
}
