/**
 * Reads files that somebody chose. A worker of its own: what comes from anywhere is taken apart where no key is, and whoever imports
 * nothing does not fetch it. What was found goes straight to the vault's worker; the page sees a preview.
 */
import { answerCalls, type WorkerScope } from '../vault/answer-calls.ts';
import type { ReaderCalls } from '../vault/protocol.ts';
import { readFiles } from './read-files.ts';

answerCalls<ReaderCalls>(globalThis as unknown as WorkerScope, {
  async read(report, files, vault) {
    const { items, preview } = await readFiles(files, (done) => report({ done, total: files.length }));
    vault.postMessage(items, []);
    return preview;
  },
});
