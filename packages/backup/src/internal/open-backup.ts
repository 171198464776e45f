import { equalBytes, utf8 } from '@strongroom/kernel';
import { BackupError } from '../errors.ts';
import { parseIdentities } from '../identities.ts';
import { AGE_VERSION_LINE, decryptFrom } from './age.ts';
import { BackupReader } from './document.ts';
import { firstBytes, readPieces } from './files.ts';

export interface OpenedBackup {
  readonly reader: BackupReader;
  /** Bytes of the file read so far. */
  readonly bytes: () => number;
}

/** `identities`: contents of identities files. Throws what `parseIdentities`, `decryptFrom` and `BackupReader.open` throw. */
export async function openBackup(path: string, identities: readonly string[]): Promise<OpenedBackup> {
  const secrets = identities.flatMap(parseIdentities);
  if (secrets.length === 0) throw new BackupError('backup.invalid-identity');
  const expected = utf8(AGE_VERSION_LINE);
  const start = await firstBytes(path, expected.length);
  if (!equalBytes(start, expected)) {
    const armoured = new TextDecoder().decode(start).startsWith('-----BEGIN AGE');
    throw new BackupError(
      'backup.not-a-backup',
      armoured ? { detail: 'It is armoured: encrypt it without `-a`.' } : {},
    );
  }
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of readPieces(path)) {
      bytes += piece.length;
      yield piece;
    }
  }
  const reader = await BackupReader.open(decryptFrom(secrets, counted()));
  return { reader, bytes: () => bytes };
}
