/**
 * Encrypting a column that holds plaintext while it is in use; docs/guides/encrypt-a-column.md is the way through it.
 *
 *     declared ── begin ─→ dual-writing ─ run ─→ backfilling ─→ verifying ─→ verified ── cutOver ─→ cut-over ── drop, run ─→ dropping ─→ dropped
 *         ↑                     └────────────────── revert ────────────────────┘
 *
 * Up to `verified` the plaintext counts: it is written together with the sealed value and is what is read. From `cut-over` on only the sealed value counts.
 * Each transaction reads the phase, and a change of it waits for those that go by the former one: no two ever disagree.
 */
import { systemClock, type Clock } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { countRows, tableShape, walk, type Batch, type TableShape } from './internal/batches/walk.ts';
import type { DeclaredColumn, DeclaredTable } from './internal/codec/declaration.ts';
import { plaintextCounts, type MigrationPhase } from './internal/codec/phases.ts';
import { backfillRows, dropRows, readColumns, verifyRows, type MigratedRows } from './internal/migration/rows.ts';
import { movePhase, readPhases, readState, saveProgress, type WalkedRows } from './internal/migration/state.ts';
import { declaredOf } from './row-codec.ts';

export type { MigrationPhase } from './internal/codec/phases.ts';

export interface MigrationStatus {
  readonly table: string;
  readonly column: string;
  readonly phase: MigrationPhase;
  /** The last day on which plaintext may be kept, `2027-01-31`. */
  readonly until: string;
  /** That day has passed and plaintext still counts: reads and writes of the column are refused. */
  readonly expired: boolean;
  /** Of the present walk: rows in all, done, rewritten, cleared because the person was erased, and found wrong. */
  readonly total: number;
  readonly seen: number;
  readonly changed: number;
  readonly erased: number;
  readonly problems: number;
}

export interface MigrationStep extends MigrationStatus {
  readonly from: MigrationPhase;
}

export interface ColumnMigrationOptions {
  readonly database: Database;
  readonly encryption: Encryption;
  /** The codec of the table, with the column declared as `moving`. */
  readonly codec: { readonly table: string };
  readonly column: string;
  readonly clock?: Clock | undefined;
  /** Called in the transaction of every change of phase, for the audit log. */
  readonly record?: ((transaction: Transaction, step: MigrationStep) => Promise<void>) | undefined;
  /** Rows of one transaction: 100 on PGlite, where nobody else is served meanwhile, 500 on PostgreSQL. */
  readonly rowsAtOnce?: number | undefined;
  /** The part of the time that a walk may be at work, above 0 up to 1, the default. */
  readonly share?: number | undefined;
  /** After each batch. */
  readonly progress?: ((status: MigrationStatus) => void) | undefined;
}

/** None of these may be called inside a transaction. Where a phase does not allow what is asked: `encryption.migration-phase`. */
export interface ColumnMigration {
  status(): Promise<MigrationStatus>;
  /** From now on both are written. Throws `encryption.migration-unready` when the columns do not fit. */
  begin(): Promise<MigrationStatus>;
  /**
   * Does the work of the present phase and goes on to the next one, up to `verified` or `dropped`, from wherever an earlier call stopped or was killed;
   * in every other phase nothing. For a job. Throws `encryption.migration-unverified` when rows do not agree however often they are
   * rewritten, or plaintext cannot be removed because the sealed value beside it says something else; nothing is lost then.
   */
  run(signal?: AbortSignal): Promise<MigrationStatus>;
  /** From now on only what is sealed counts. There is no way back. */
  cutOver(): Promise<MigrationStatus>;
  /** `run` removes the plaintext from now on. The column itself goes with a migration of the schema. */
  drop(): Promise<MigrationStatus>;
  /** Back to plaintext alone, from everywhere before `cutOver`. Sealed values that are left over are rewritten by the next backfill. */
  revert(): Promise<MigrationStatus>;
}

/** How often rows may be found wrong and rewritten in one `run` before it gives up: somebody writes past the codec. */
const MOST_ROUNDS = 5;

/** What plaintext of each kind stands in. */
const PLAINTEXT_TYPES: Readonly<Record<DeclaredColumn['column']['as'], readonly string[]>> = {
  text: ['text', 'character varying'],
  bytes: ['bytea'],
  json: ['jsonb'],
};

/** Throws a TypeError for a column that is not declared as `moving`. */
export function columnMigration(options: ColumnMigrationOptions): ColumnMigration {
  const declared = declaredOf.get(options.codec);
  const column = declared?.columns.get(options.column);
  if (declared === undefined || column?.column.moving === undefined) {
    throw new TypeError(`columnMigration: "${options.column}" is not declared as moving`);
  }
  return new Migration(options, declared, column, column.column.moving.from);
}

type Work = (transaction: Transaction, rows: MigratedRows, batch: Batch['rows']) => Promise<WalkedRows>;

const works: Readonly<Partial<Record<MigrationPhase, Work>>> = {
  backfilling: backfillRows,
  verifying: verifyRows,
  dropping: dropRows,
};

class Migration implements ColumnMigration {
  readonly #options: ColumnMigrationOptions;
  readonly #declared: DeclaredTable;
  readonly #column: DeclaredColumn;
  readonly #from: string;
  readonly #clock: Clock;

  constructor(options: ColumnMigrationOptions, declared: DeclaredTable, column: DeclaredColumn, from: string) {
    this.#options = options;
    this.#declared = declared;
    this.#column = column;
    this.#from = from;
    this.#clock = options.clock ?? systemClock;
  }

  status(): Promise<MigrationStatus> {
    return this.#inSystem((transaction) => this.#status(transaction));
  }

  async begin(): Promise<MigrationStatus> {
    await this.#inSystem(async (transaction) => this.#checkReady(await this.#shape(transaction), transaction));
    return this.#move(['declared'], 'dual-writing');
  }

  cutOver(): Promise<MigrationStatus> {
    return this.#move(['verified'], 'cut-over');
  }

  drop(): Promise<MigrationStatus> {
    return this.#move(['cut-over'], 'dropping');
  }

  revert(): Promise<MigrationStatus> {
    return this.#move(['dual-writing', 'backfilling', 'verifying', 'verified'], 'declared');
  }

  async run(signal?: AbortSignal): Promise<MigrationStatus> {
    for (let rounds = 0; ;) {
      signal?.throwIfAborted();
      const status = await this.status();
      const { phase } = status;
      switch (phase) {
        case 'dual-writing':
          await this.#move([phase], 'backfilling');
          break;
        case 'backfilling':
          if (await this.#walk(phase, signal)) await this.#move([phase], 'verifying');
          break;
        case 'verifying':
          if (!(await this.#walk(phase, signal))) break;
          if ((await this.status()).problems === 0) return this.#move([phase], 'verified');
          await this.#move([phase], 'backfilling');
          rounds += 1;
          if (rounds >= MOST_ROUNDS) throw this.#unverified();
          break;
        case 'dropping': {
          if (!(await this.#walk(phase, signal))) break;
          const { problems } = await this.status();
          if (problems === 0 && !(await this.#hasPlaintext())) return this.#move([phase], 'dropped');
          // A rotation may have rewritten a value at that moment, or a row came in behind: every row is looked at again.
          await this.#move([phase], phase);
          rounds += 1;
          if (problems > 0 || rounds >= MOST_ROUNDS) throw this.#unverified();
          break;
        }
        case 'declared':
        case 'verified':
        case 'cut-over':
        case 'dropped':
        default:
          return status;
      }
    }
  }

  /** False when the phase was changed meanwhile. */
  async #walk(phase: MigrationPhase, signal: AbortSignal | undefined): Promise<boolean> {
    const { database, encryption, rowsAtOnce, share, progress } = this.#options;
    const { shape, state } = await this.#inSystem(async (transaction) => ({
      shape: await this.#shape(transaction),
      state: await readState(transaction, this.#name()),
    }));
    const rows: MigratedRows = { encryption, declared: this.#declared, column: this.#column, from: this.#from, shape };
    const work = works[phase]!;
    let latest: MigrationStatus | undefined;
    const stop = new AbortController();
    try {
      await walk({
        database,
        shape,
        columns: readColumns(rows),
        after: state.cursor,
        rows: rowsAtOnce,
        share,
        signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
        work: async (transaction, batch) => {
          const present = await readPhases(transaction, this.#declared, this.#clock.now());
          if (present?.phases.get(this.#column.name) !== phase) return stop.abort();
          const walked = await work(transaction, rows, batch.rows);
          await saveProgress(transaction, this.#name(), batch.after, walked);
          if (progress !== undefined) latest = await this.#status(transaction);
        },
        committed: () => {
          if (latest !== undefined) progress?.(latest);
        },
      });
      return true;
    } catch (error) {
      if (stop.signal.aborted && signal?.aborted !== true) return false;
      throw error;
    }
  }

  async #move(from: readonly MigrationPhase[], to: MigrationPhase): Promise<MigrationStatus> {
    return this.#inSystem(async (transaction) => {
      const total = works[to] === undefined ? 0 : await countRows(transaction, await this.#shape(transaction));
      const { moved, before } = await movePhase(transaction, this.#name(), { from, to, now: this.#clock.now(), total });
      if (!moved) {
        throw new EncryptionError('encryption.migration-phase', {
          detail: `${this.#declared.table}.${this.#column.name} is in phase "${before.phase}", which does not lead to "${to}".`,
        });
      }
      const status = await this.#status(transaction);
      await this.#options.record?.(transaction, { ...status, from: before.phase });
      return status;
    });
  }

  async #status(transaction: Transaction): Promise<MigrationStatus> {
    const { cursor: _, ...state } = await readState(transaction, this.#name());
    const { moving } = this.#column.column;
    const expired = plaintextCounts(state.phase) && this.#clock.now() >= (this.#column.plaintextUntil ?? 0);
    return { ...this.#name(), ...state, until: moving?.until ?? '', expired };
  }

  #hasPlaintext(): Promise<boolean> {
    return this.#inSystem(async (transaction) => {
      const { rows } = await sql`
        select 1 from ${sql.table(this.#declared.table)} where ${sql.ref(this.#from)} is not null limit 1`.execute(
        transaction,
      );
      return rows.length > 0;
    });
  }

  #unverified(): EncryptionError {
    const { table, column } = this.#name();
    return new EncryptionError('encryption.migration-unverified', { detail: `It is ${table}.${column}.` });
  }

  #shape(transaction: Transaction): Promise<TableShape> {
    return tableShape(transaction, this.#declared.table);
  }

  /** New rows will have only one of the two, and later none of the plaintext. */
  async #checkReady({ table, columns }: TableShape, transaction: Transaction): Promise<void> {
    const { column, name } = this.#column;
    const fits = (wanted: string, types: readonly string[]): boolean =>
      types.some((type) => columns.get(wanted)?.type.startsWith(type) === true);
    const { rows } = await sql<{ name: string }>`
      select attname as name from pg_attribute
      where attrelid = ${`public.${table}`}::regclass and attnotnull`.execute(transaction);
    const required = new Set(rows.map((row) => row.name));
    const wrong = [
      fits(this.#from, PLAINTEXT_TYPES[column.as])
        ? undefined
        : `${this.#from} must be ${PLAINTEXT_TYPES[column.as][0]}`,
      fits(name, ['bytea']) ? undefined : `${name} must be bytea`,
      ...[this.#from, name, column.index].map((each) =>
        each !== undefined && required.has(each) ? `${each} must allow null` : undefined,
      ),
    ].filter((each) => each !== undefined);
    if (wrong.length === 0) return;
    throw new EncryptionError('encryption.migration-unready', { detail: `In ${table}: ${wrong.join(', ')}.` });
  }

  #name(): { readonly table: string; readonly column: string } {
    return { table: this.#declared.table, column: this.#column.name };
  }

  #inSystem<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#options.database.transaction(asSystem, work);
  }
}
