/**
 * Copies of people's wrapped keys in places that outlive the database. A replacement of the root makes every former copy worthless, so before a slot takes
 * the next root a copy is made that opens beneath both; when every slot has it, one that opens beneath the new root alone takes its place, and
 * the former are destroyed.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {
  type BackupSummary,
  BackupError,
  createBackup,
  destroyFile,
  duplicateBackup,
  parseRecipients,
} from '@strongroom/backup';
import type { BeforeReplacing, KeyTree } from '@strongroom/encryption';
import { type Clock, StrongroomError } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import { KEY_TABLES } from './backups.ts';
import { CompositionError } from './errors.ts';
import { changeName, clear, copyName, look } from './key-copy-folder.ts';
import type { Environment } from './root-slots.ts';
import { VERSION } from './version.ts';

export const KEY_COPIES = 'STRONGROOM_KEY_COPIES';
export const KEY_COPY_RECIPIENTS = 'STRONGROOM_KEY_COPY_RECIPIENTS';

/** A file that is asked for once; `path` is of no file that exists. */
export interface KeyCopy {
  readonly path: string;
  readonly recipients: readonly string[];
}

export interface KeyCopyPlaces {
  /** Absolute. They are never created: a disk that is not mounted must not look like one. */
  readonly folders: readonly string[];
  readonly recipients: readonly string[];
}

export interface KeyCopyState {
  readonly folder: string;
  /** `present`: the copy of today and no former one. `behind`: it is yet to be made, or a former one to be destroyed. */
  readonly state: 'present' | 'behind' | 'unavailable';
  /** Code of what went wrong. */
  readonly failure?: string;
}

interface KeyCopiesOptions extends KeyCopyPlaces {
  readonly database: Database;
  readonly clock: Clock;
  /** Called before a copy gets its name. */
  readonly record: (summary: BackupSummary, version: number) => Promise<void>;
  readonly keyTree: () => Pick<KeyTree, 'state'>;
}

export interface KeyCopies {
  readonly isConfigured: boolean;
  /** For `createEncryption`. Throws `strongroom.no-key-copy` when no place took the copy, and what `createBackup` throws for a file that was asked for. */
  readonly beforeReplacing: BeforeReplacing;
  /**
   * `work` may replace the root; afterwards every place has the copy of that time. `once`: one more file, which is there at the end whether a root was
   * replaced or not. Throws `backup.file-exists` and what `work` throws; `strongroom.key-copy-outdated` when the file holds former keys as well.
   */
  around<Result>(once: KeyCopy | undefined, work: () => Promise<Result>): Promise<Result>;
  /** Brings every folder to the tree of today: makes what is missing and destroys what is older. Never rejects: the states say what went wrong. */
  settle(): Promise<readonly KeyCopyState[]>;
  /** How the folders are, without changing anything. */
  states(): Promise<readonly KeyCopyState[]>;
}

/**
 * `STRONGROOM_KEY_COPIES`: folders, separated by spaces, relative to the data folder; `STRONGROOM_KEY_COPY_RECIPIENTS`: who can open the copies, recipients
 * or files of them. Throws `strongroom.key-copies` and what `parseRecipients` throws.
 */
export async function keyCopyPlaces(data: string, environment: Environment = process.env): Promise<KeyCopyPlaces> {
  const words = (name: string): string[] => (environment[name] ?? '').split(/\s+/).filter((word) => word !== '');
  const folders = [...new Set(words(KEY_COPIES).map((folder) => path.resolve(data, folder)))];
  if (folders.length === 0) return { folders, recipients: [] };
  const texts = words(KEY_COPY_RECIPIENTS).map(async (word) => {
    if (word.startsWith('age1')) return word;
    return readFile(path.resolve(data, word), 'utf8').catch((cause: unknown) => {
      throw new CompositionError('strongroom.key-copies', { detail: `${word} cannot be read.`, cause });
    });
  });
  if (texts.length === 0)
    throw new CompositionError('strongroom.key-copies', { detail: `Set ${KEY_COPY_RECIPIENTS}.` });
  return { folders, recipients: parseRecipients(await Promise.all(texts)) };
}

export function createKeyCopies({
  clock,
  database,
  folders,
  recipients,
  record,
  keyTree,
}: KeyCopiesOptions): KeyCopies {
  /** Files that are asked for once, as long as somebody waits for them. */
  const awaited = new Set<KeyCopy>();
  const begun = new Set<KeyCopy>();
  /** In this process one after the other. Another one's files appear whole, and are looked at anew. */
  let last: Promise<unknown> = Promise.resolve();

  const write = (
    copy: KeyCopy,
    overwrite: boolean,
    beforePublishing: (summary: BackupSummary) => Promise<void>,
  ): Promise<BackupSummary> =>
    createBackup({ ...copy, overwrite, database, clock, program: VERSION, only: KEY_TABLES, beforePublishing });

  /** A copy of the present keys. While it was being read, the root may have moved on: then it is none. */
  async function writePresent(copy: KeyCopy, overwrite: boolean, version = 0): Promise<void> {
    await write(copy, overwrite, async (summary) => {
      const now = await keyTree().state(database);
      if ((now?.version ?? 0) !== version) throw new CompositionError('strongroom.not-ready');
      await record(summary, version);
    });
  }

  /** `others`: folders that were brought to today before this one. */
  async function settleFolder(folder: string, others: readonly string[]): Promise<KeyCopyState> {
    try {
      const state = await keyTree().state(database);
      // Nobody is there whose keys could be lost.
      if (state === undefined) return (await look(folder, 0), { folder, state: 'present' });
      const found = await look(folder, state.version);
      if (!found.isPresent) {
        const name = copyName(state.version);
        const [other] = others;
        if (other !== undefined && (await look(other, state.version)).isPresent) {
          await duplicateBackup(path.join(other, name), path.join(folder, name));
        } else await writePresent({ path: path.join(folder, name), recipients }, true, state.version);
      }
      if (!state.isComplete) return { folder, state: 'behind' };
      await clear(folder, found.outdated, clock.now());
      return { folder, state: 'present' };
    } catch (error) {
      return unavailable(folder, error);
    }
  }

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const settle = (): Promise<readonly KeyCopyState[]> =>
    inTurn(async () => {
      const states: KeyCopyState[] = [];
      for (const folder of folders) {
        const others = states.flatMap((other) => (other.state === 'unavailable' ? [] : [other.folder]));
        states.push(await settleFolder(folder, others));
      }
      return states;
    });

  /** The file holds what opens beneath the former root as well, or nothing yet. */
  async function finish(once: KeyCopy): Promise<void> {
    const state = await keyTree().state(database);
    try {
      await writePresent(once, begun.has(once), state?.version);
    } catch (cause) {
      if (!begun.has(once)) throw cause;
      throw new CompositionError('strongroom.key-copy-outdated', { cause });
    }
  }

  return {
    isConfigured: folders.length > 0,
    settle,
    beforeReplacing: ({ version, next }) =>
      inTurn(async () => {
        let recorded = false;
        const recordOnce = async (summary: BackupSummary): Promise<void> => {
          if (!recorded) await record(summary, next);
          recorded = true;
        };
        for (const once of awaited) {
          await write(once, begun.has(once), recordOnce);
          begun.add(once);
        }
        const failures: KeyCopyState[] = [];
        let made: string | undefined;
        for (const folder of folders) {
          const file = path.join(folder, changeName(version, next));
          try {
            // Reading the tree once is enough.
            if (made === undefined) await write({ path: file, recipients }, true, recordOnce);
            else await duplicateBackup(made, file);
            made ??= file;
          } catch (error) {
            failures.push(unavailable(folder, error));
          }
        }
        // One is enough to go on: the others are told of as behind until they have theirs.
        if (folders.length > 0 && made === undefined && awaited.size === 0) {
          const detail = failures.map(({ folder, failure }) => `${folder}: ${failure}`).join('; ');
          throw new CompositionError('strongroom.no-key-copy', { detail: `${detail}.` });
        }
      }),
    async around(once, work) {
      if (once !== undefined) {
        if (existsSync(once.path)) throw new BackupError('backup.file-exists', { detail: `It is ${once.path}.` });
        awaited.add(once);
      }
      const before = await keyTree().state(database);
      try {
        const result = await work();
        if (once !== undefined) await finish(once);
        return result;
      } catch (error) {
        const after = await keyTree().state(database);
        // Nothing came of it, and the same command may be given again.
        if (
          once !== undefined &&
          begun.has(once) &&
          after?.version === before?.version &&
          after?.isReplacing !== true
        ) {
          await destroyFile(once.path).catch(() => undefined);
        }
        throw error;
      } finally {
        if (once !== undefined) {
          awaited.delete(once);
          begun.delete(once);
        }
        await settle();
      }
    },
    states: async () => {
      const state = await keyTree().state(database);
      return Promise.all(
        folders.map(async (folder): Promise<KeyCopyState> => {
          try {
            const { isPresent, outdated } = await look(folder, state?.version ?? 0);
            const isSettled = state === undefined || (isPresent && outdated.length === 0);
            return { folder, state: isSettled ? 'present' : 'behind' };
          } catch (error) {
            return unavailable(folder, error);
          }
        }),
      );
    },
  };
}

function unavailable(folder: string, error: unknown): KeyCopyState {
  if (error instanceof StrongroomError) {
    // Nothing is wrong with the folder when the root moved on meanwhile.
    const state = error.code === 'strongroom.not-ready' ? 'behind' : 'unavailable';
    return { folder, state, failure: error.code };
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return { folder, state: 'unavailable', failure: code };
}
