/** Who may open a backup: recipients and identities of the age format (C2SP age.md), X25519 or post-quantum hybrid. */
import {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import { BackupError } from './errors.ts';

/** `x25519` opens with any age program; `hybrid` (ML-KEM-768 with X25519) resists quantum computers and needs a recent one. */
export type IdentityKind = 'x25519' | 'hybrid';

export interface GeneratedIdentity {
  /** Secret: whoever has it opens the backups. */
  readonly identity: string;
  readonly recipient: string;
}

const HYBRID_RECIPIENT = 'age1pq1';
/** Recipients of hardware plugins look alike, but nothing here could open what is encrypted for them. */
const RECIPIENT = /^age1(?:pq1)?[02-9ac-hj-np-z]+$/;

export async function generateIdentity(kind: IdentityKind): Promise<GeneratedIdentity> {
  const identity = await (kind === 'hybrid' ? generateHybridIdentity() : generateX25519Identity());
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Lines of a recipients or identities file; empty ones and comments are left out, as age does. */
const linesOf = (text: string): string[] =>
  text.split(/\r?\n/).flatMap((line) => (line.trim() === '' || line.startsWith('#') ? [] : [line.trim()]));

/** Each text is a recipient or the content of a recipients file. Throws `backup.invalid-recipient`, naming the line. */
export function parseRecipients(texts: readonly string[]): readonly string[] {
  const recipients = [...new Set(texts.flatMap(linesOf))];
  for (const recipient of recipients) {
    try {
      if (!RECIPIENT.test(recipient)) throw new TypeError('not a recipient');
      new Encrypter().addRecipient(recipient);
    } catch (cause) {
      // Somebody may have given the identity by mistake, so only its beginning is shown.
      throw new BackupError('backup.invalid-recipient', {
        detail: `It begins with "${recipient.slice(0, 8)}".`,
        cause,
      });
    }
  }
  if (recipients.length === 0) throw new BackupError('backup.no-recipient');
  const hybrid = recipients.filter((recipient) => recipient.startsWith(HYBRID_RECIPIENT)).length;
  if (hybrid > 0 && hybrid < recipients.length) throw new BackupError('backup.mixed-recipients');
  return recipients;
}

/** `text` is the content of an identities file as `age-keygen` writes it. Throws `backup.invalid-identity`, which repeats nothing of it. */
export function parseIdentities(text: string): readonly string[] {
  const identities = linesOf(text);
  if (identities.length === 0) throw new BackupError('backup.invalid-identity');
  for (const identity of identities) {
    try {
      new Decrypter().addIdentity(identity);
    } catch {
      // Without its cause, which might quote the secret.
      throw new BackupError('backup.invalid-identity');
    }
  }
  return identities;
}
