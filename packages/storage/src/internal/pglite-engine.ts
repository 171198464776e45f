/** PGlite in memory or in a data folder: one session, handed from transaction to transaction. */
import type { PGlite } from '@electric-sql/pglite';
import { StorageError } from '../errors.ts';
import { ensureFolder, findDatabase } from './data-folder.ts';
import type { Engine } from './engine.ts';
import { lockFolder } from './folder-lock.ts';
import { pgliteSession } from './pglite-session.ts';
import { makeDatabase, startInFolder, startInMemory } from './pglite-start.ts';
import { Upkeep } from './pglite-upkeep.ts';
import type { Session, SessionSource } from './session.ts';
import { Turns } from './turns.ts';

const RELAXED_WARNING =
  'Relaxed durability: after a power cut or a crash of the operating system the last changes, though confirmed, may be lost ' +
  'and the data folder may be damaged. A crash of this program alone loses nothing.';

interface PgliteOptions {
  readonly warnings: readonly string[];
  /** Starts anew after a failure that ended PGlite, recovering from the write-ahead log; absent where nothing survives it. */
  readonly restart?: () => Promise<PGlite>;
  readonly closed: () => void;
}

class PgliteEngine implements Engine, SessionSource {
  readonly name = 'pglite';
  readonly warnings: readonly string[];
  readonly #turns = new Turns();
  readonly #options: PgliteOptions;
  readonly #upkeep = new Upkeep();
  #pglite: PGlite;
  #session: Session;
  /** PGlite failed for good and must be started anew before its next use. */
  #failed = false;

  constructor(pglite: PGlite, options: PgliteOptions) {
    this.warnings = options.warnings;
    this.#options = options;
    this.#pglite = pglite;
    this.#session = this.#sessionOf(pglite);
  }

  #sessionOf(pglite: PGlite): Session {
    return pgliteSession(pglite, () => {
      this.#failed = true;
    });
  }

  get serving(): SessionSource {
    return this;
  }

  get owner(): SessionSource {
    return this;
  }

  async acquire(): Promise<Session> {
    await this.#turns.take();
    try {
      if (this.#failed) await this.#restart();
    } catch (error) {
      this.#turns.end();
      throw error;
    }
    return this.#session;
  }

  release(_session: Session, broken: boolean): void {
    if (broken) this.#failed = true;
    if (this.#failed || !this.#upkeep.isDue()) this.#turns.end();
    else void this.#maintain();
  }

  async #maintain(): Promise<void> {
    try {
      await this.#upkeep.run(this.#session);
    } catch {
      // A full disk, for example: the next transaction meets the same and reports it. The upkeep is tried again later.
    } finally {
      this.#turns.end();
    }
  }

  async #restart(): Promise<void> {
    const { restart } = this.#options;
    if (restart === undefined) throw new StorageError('storage.unavailable', { detail: 'The memory database failed.' });
    await this.#abandon();
    this.#pglite = await restart();
    this.#session = this.#sessionOf(this.#pglite);
    this.#failed = false;
  }

  /** Gives back the files without letting PostgreSQL write anything more. */
  async #abandon(): Promise<void> {
    await this.#pglite.fs?.closeFs().catch(() => undefined);
  }

  async closeOwner(): Promise<void> {}

  async close(): Promise<void> {
    await this.#turns.take();
    try {
      if (this.#failed) {
        await this.#abandon();
        return;
      }
      // Saves the next start the recovery. Where it fails, the write-ahead log still has everything.
      await this.#session.run('checkpoint').catch(() => undefined);
      if (this.#failed) await this.#abandon();
      else await this.#pglite.close();
    } finally {
      this.#options.closed();
      this.#turns.end();
    }
  }
}

export async function openMemory(): Promise<Engine> {
  return new PgliteEngine(await startInMemory(), { warnings: [], closed: () => undefined });
}

/** `durable`: a confirmed change survives a power cut. */
export async function openFolder(folder: string, durable: boolean): Promise<Engine> {
  ensureFolder(folder);
  const lock = lockFolder(folder);
  try {
    const database = findDatabase(folder) ?? (await makeDatabase(folder, durable));
    const start = (): Promise<PGlite> => startInFolder(database, durable, folder);
    const warnings = durable ? [] : [RELAXED_WARNING];
    return new PgliteEngine(await start(), { warnings, restart: start, closed: () => lock.release() });
  } catch (error) {
    lock.release();
    throw error;
  }
}
