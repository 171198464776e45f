/**
 * PostgreSQL has background processes that write checkpoints and remove dead rows; PGlite has none. Without this, the
 * write-ahead log would grow until the program is closed, and tables with every update.
 */
import { quoteIdentifier } from './dialect.ts';
import type { Session } from './session.ts';

/** Looking at the position of the write-ahead log costs about as much as a small query. Transactions. */
const LOOK_EVERY = 200;
/** A few large transactions write as much as many small ones. Milliseconds. */
const LOOK_AFTER = 5_000;
/** Bounds the size of the log and the time of a recovery after a crash. Bytes. */
const CHECKPOINT_AFTER = 32 * 1024 * 1024;
/** How often tables are looked at. Milliseconds. */
const VACUUM_EVERY = 60_000;

/** The rule of PostgreSQL's autovacuum, with its defaults: a threshold plus a share of the table. */
const tablesToVacuum = `
select s.schemaname, s.relname
from pg_stat_all_tables s join pg_class c on c.oid = s.relid
where c.relkind in ('r', 'm', 't') and c.relpersistence = 'p' and s.schemaname <> 'pg_toast'
  and (s.n_dead_tup > 50 + 0.2 * greatest(c.reltuples, 0)
    or s.n_mod_since_analyze > 50 + 0.1 * greatest(c.reltuples, 0)
    or age(c.relfrozenxid) > 200000000)
order by s.n_dead_tup desc
limit 1`;

export class Upkeep {
  readonly #now: () => number;
  #transactions = 0;
  #lookedAt: number;
  #vacuumedAt: number;
  #checkpointAt: number | undefined;

  /** `now`: milliseconds that only ever increase. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lookedAt = now();
    this.#vacuumedAt = now();
  }

  /** Counts a transaction; true when `run` should get the session before the next one. */
  isDue(): boolean {
    this.#transactions += 1;
    return this.#transactions >= LOOK_EVERY || this.#now() - this.#lookedAt > LOOK_AFTER;
  }

  /** At most one checkpoint and one table, so that whoever waits does not wait long. */
  async run(session: Session): Promise<void> {
    this.#transactions = 0;
    this.#lookedAt = this.#now();
    const { rows } = await session.run("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as position");
    const position = Number(rows[0]?.['position']);
    this.#checkpointAt ??= position;
    if (position - this.#checkpointAt > CHECKPOINT_AFTER) {
      await session.run('checkpoint');
      this.#checkpointAt = position;
    }
    if (this.#lookedAt - this.#vacuumedAt > VACUUM_EVERY) await this.#vacuum(session);
  }

  async #vacuum(session: Session): Promise<void> {
    const { rows } = await session.run(tablesToVacuum);
    const [table] = rows;
    if (table === undefined) {
      this.#vacuumedAt = this.#now();
      return;
    }
    const name = `${quoteIdentifier(String(table['schemaname']))}.${quoteIdentifier(String(table['relname']))}`;
    await session.run(`vacuum (analyze) ${name}`);
  }
}
