/** Encrypting and decrypting a stream in age format. */
import { Decrypter, Encrypter } from 'age-encryption';
import { BackupError } from '../errors.ts';

/** The first line of every age file, C2SP age.md. */
export const AGE_VERSION_LINE = 'age-encryption.org/v1\n';

function toStream(pieces: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return();
    },
  });
}

/** When it ends, however it ends, nothing is read from `plaintext` any more. */
export async function* encryptTo(
  recipients: readonly string[],
  plaintext: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  try {
    for await (const piece of await encrypter.encrypt(toStream(plaintext))) yield piece;
  } finally {
    // Streams read ahead, and let go without waiting.
    await plaintext.return();
  }
}

/** What reading the file threw passes through; everything else that goes wrong is the file's own fault. */
const asDamage = (cause: unknown): BackupError =>
  cause instanceof BackupError ? cause : new BackupError('backup.damaged', { cause });

/**
 * Throws `backup.wrong-identity`, `backup.damaged`, or what `ciphertext` throws. Every piece given out was authenticated, but only the end
 * tells that none is missing.
 */
export async function* decryptFrom(
  identities: readonly string[],
  ciphertext: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  let nobody = false;
  // Asked last, and only when no identity before it opened the file.
  decrypter.addIdentity({
    unwrapFileKey: () => {
      nobody = true;
      return null;
    },
  });
  try {
    for await (const piece of await decrypter.decrypt(toStream(ciphertext))) yield piece;
  } catch (error) {
    throw nobody ? new BackupError('backup.wrong-identity') : asDamage(error);
  } finally {
    await ciphertext.return();
  }
}
