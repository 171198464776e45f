/** One process at a time replaces the root. The row's times are the database's own. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { EncryptionError } from '../../errors.ts';

/** A process that stopped renewing has lost the lease after this time; every step renews it. Seconds. */
const LEASE = 30;
/** Milliseconds. */
const RENEWAL = (LEASE * 1000) / 3;

/** Calls in this process, one after the other: by database, and by root since a database may be handed on in different guises. */
const queues = new WeakMap<object, Promise<unknown>>();

export class Lease {
  readonly #database: Database;
  readonly #holder: Uuid = newUuid();

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Runs `work` with the lease; throws `encryption.shred-running` when another process has it. */
  static async hold<Result>(
    database: Database,
    root: object,
    work: (lease: Lease) => Promise<Result>,
  ): Promise<Result> {
    const turn = Promise.all([queues.get(database), queues.get(root)]).then(async () => {
      const lease = new Lease(database);
      if (!(await lease.#take())) throw new EncryptionError('encryption.shred-running', { retryAfter: LEASE });
      try {
        return await work(lease);
      } finally {
        await lease.#release().catch(() => undefined);
      }
    });
    const ended = turn.catch(() => undefined);
    queues.set(database, ended);
    queues.set(root, ended);
    return turn;
  }

  /** Renews the lease in the transaction of a step, which also holds the row until the step is done. Throws `encryption.shred-running` when it was lost. */
  async renew(transaction: Transaction): Promise<void> {
    const { rows } = await sql`
      update key_tree set lease_until = clock_timestamp() + make_interval(secs => ${LEASE})
      where holder = ${this.#holder} returning 1`.execute(transaction);
    if (rows.length === 0) throw new EncryptionError('encryption.shred-running', { detail: 'This one took too long.' });
  }

  /** Keeps the lease while `work` goes on outside any transaction. A lease that was lost all the same shows at the next `renew`. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    // Nobody else could take it there, and the renewals would wait for what `work` reads.
    if (this.#database.engine === 'pglite') return work();
    const renewal = setInterval(() => {
      this.#database.transaction(asSystem, (transaction) => this.renew(transaction)).catch(() => undefined);
    }, RENEWAL);
    try {
      return await work();
    } finally {
      clearInterval(renewal);
    }
  }

  async #take(): Promise<boolean> {
    // A PGlite database has one process only, and in this one it is our turn: whoever held the lease is dead.
    const dead = this.#database.engine === 'pglite';
    return this.#database.transaction(asSystem, async (transaction) => {
      const { rows } = await sql`
        update key_tree set holder = ${this.#holder}, lease_until = clock_timestamp() + make_interval(secs => ${LEASE})
        where holder is null or lease_until < clock_timestamp() or ${dead} returning 1`.execute(transaction);
      return rows.length === 1;
    });
  }

  async #release(): Promise<void> {
    await this.#database.transaction(asSystem, async (transaction) => {
      await sql`update key_tree set holder = null, lease_until = null where holder = ${this.#holder}`.execute(
        transaction,
      );
    });
  }
}
