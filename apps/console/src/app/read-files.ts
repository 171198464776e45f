/** Files on their way into the vault: the reader takes them apart and hands what it finds to the vault, past this page. */
import type { ImportPreview, SourceFile } from '../vault/protocol.ts';
import { vault } from './session.ts';
import { connectReader } from './vault-connection.ts';

let reader: ReturnType<typeof connectReader> | null = null;

/** Resolves with what may be imported by `runImport` then. Each time a new worker: nothing of the files before is in it. */
export async function readFiles(files: readonly SourceFile[]): Promise<ImportPreview> {
  stopReading();
  const mine = connectReader();
  reader = mine;
  const { port1, port2 } = new MessageChannel();
  try {
    await vault('expectImport', port1);
    return await mine.call('read', files, port2);
  } finally {
    mine.end();
  }
}

/** Who goes away from the page, or locks the vault, leaves no text behind in a worker. */
export const stopReading = (): void => reader?.end();
