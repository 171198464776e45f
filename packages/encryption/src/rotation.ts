/**
 * Rotation of keys: a new key version, all values written anew under it while everybody goes on, and the former version retired when a whole pass
 * opened every value under the new one. docs/design/rotation.md says why it is done this way.
 */
import { isUuid, newUuid, StrongroomError, type Clock, type Uuid } from '@strongroom/kernel';
import { asSystem, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import type { EncryptedTable } from './encrypted-table.ts';
import type { Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { countRows, tableShape, walk } from './internal/batches/walk.ts';
import { fence } from './internal/rotation/fence.ts';
import {
  advance,
  finish,
  insertRotation,
  nextPass,
  NotOurs,
  openRotation,
  readRotations,
  recordFailure,
  reportOf,
  scopeOf,
  toFinishing,
  type RotationRow,
} from './internal/rotation/record.ts';
import { renewHere, type Renewer } from './internal/rotation/renew.ts';
import { neededColumns, rewrite } from './internal/rotation/rewrite.ts';
import { RenewalThreads } from './internal/rotation/threads.ts';
import type { RotationReport, RotationScope } from './rotation-report.ts';

export interface RotationOptions {
  /** The part of the time that rewriting may be at work, above 0 up to 1, the default: the throttle. */
  readonly share?: number | undefined;
  /** Former versions are not retired, so that backups from before stay readable with the present root key. */
  readonly keepsFormer?: boolean | undefined;
  /**
   * No new key version, and no other root: brings what is left under former versions under the present one. After a rotation that was cancelled, or after
   * several of tenants and columns.
   */
  readonly toPresent?: boolean | undefined;
  /** How long other processes get to read the new version; see `KeyTree.rotate`. Milliseconds. */
  readonly settle?: number | undefined;
}

/** Called in the transaction in which a rotation begins or ends, for the audit log. */
export type RotationRecorder = (
  transaction: Transaction,
  moment: 'begun' | 'ended',
  report: RotationReport,
) => Promise<void>;

export interface RotationsOptions {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;
  /** Every table with encrypted values. One that is left out keeps its former versions, and retiring them would lose it. */
  readonly tables: readonly EncryptedTable[];
  readonly record?: RotationRecorder | undefined;
  /** Rows of one transaction: 100 on PGlite, where nobody else is served meanwhile, 500 on PostgreSQL. */
  readonly rowsAtOnce?: number | undefined;
}

/** None of these may be called inside a transaction. */
export interface Rotations {
  /**
   * Makes the new key version, under which everything is written from now on, and a rotation that `work` carries out. Throws
   * `encryption.rotation-running`, `encryption.column-not-encrypted`, `encryption.too-many-versions`, and what `KeyTree.rotate` throws.
   */
  begin(scope: RotationScope, options?: RotationOptions): Promise<RotationReport>;
  /**
   * Goes on with the rotation that is open, if there is one, from where it stopped. Resolves when none is left or another process works at it.
   * Any number of processes may call it; a job does.
   */
  work(signal?: AbortSignal): Promise<void>;
  /** The last ones, newest first. */
  list(): Promise<readonly RotationReport[]>;
  /** Throws `encryption.no-such-rotation`. */
  read(id: Uuid): Promise<RotationReport>;
  /** Ends it where it is: values are under several versions, all of which stay. Throws `encryption.no-such-rotation` when it is not open. */
  cancel(id: Uuid): Promise<RotationReport>;
}

/** One is written while the next two are opened and sealed, and one more read: more of them would only wait. Each has a connection. */
const BATCHES_AT_ONCE = 4;
/** Starting a thread takes about as long as opening and sealing the values of so many. On PGlite the database itself is what this process is busy with. */
const ROWS_WORTH_A_THREAD = { pglite: Infinity, postgresql: 5_000 } as const;
/** How many `list` shows. */
const LISTED = 20;

export const createRotations = (options: RotationsOptions): Rotations => new KeyRotations(options);

interface ScopedTable {
  readonly table: EncryptedTable;
  readonly columns: EncryptedTable['columns'];
}

class KeyRotations implements Rotations {
  readonly #options: RotationsOptions;

  constructor(options: RotationsOptions) {
    this.#options = options;
  }

  async begin(
    scope: RotationScope,
    { share = 1, keepsFormer = false, toPresent = false, settle }: RotationOptions = {},
  ): Promise<RotationReport> {
    const { encryption, database } = this.#options;
    if (!(share > 0 && share <= 1)) throw new TypeError('rotation: share must be above 0 and at most 1');
    if (scope.kind === 'tenant' && !isUuid(scope.tenant)) throw new TypeError('rotation: tenant must be a UUIDv7');
    const scoped = this.#scoped(scope);
    if (scoped.length === 0) throw new EncryptionError('encryption.column-not-encrypted');
    const open = await this.#transaction(openRotation);
    if (open !== undefined) throw new EncryptionError('encryption.rotation-running');
    const keyVersion = toPresent
      ? await this.#presentVersion()
      : (await encryption.keyTree.rotate(database, { settle })).keyVersion;
    return this.#transaction(async (transaction) => {
      const row = await insertRotation(
        transaction,
        {
          id: newUuid(this.#options.clock.now()),
          kind: scope.kind,
          of_tenant: scope.kind === 'tenant' ? scope.tenant : null,
          of_table: scope.kind === 'column' ? scope.table : null,
          of_column: scope.kind === 'column' ? scope.column : null,
          key_version: keyVersion,
          keeps_former: keepsFormer,
          share,
          total: await this.#count(transaction, scoped),
        },
        this.#now(),
      );
      const report = reportOf(row);
      await this.#options.record?.(transaction, 'begun', report);
      return report;
    });
  }

  async work(signal?: AbortSignal): Promise<void> {
    const threads = new RenewalThreads();
    try {
      for (;;) {
        const row = await this.#transaction(openRotation);
        if (row === undefined) return;
        if (row.state === 'finishing') await this.#finish(row, signal);
        else await this.#pass(row, threads, signal);
      }
    } catch (error) {
      if (error instanceof NotOurs) return;
      if (error instanceof StrongroomError && signal?.aborted !== true) {
        const { code } = error;
        await this.#transaction((transaction) => recordFailure(transaction, code)).catch(() => undefined);
      }
      throw error;
    } finally {
      await threads.stop();
    }
  }

  async list(): Promise<readonly RotationReport[]> {
    return (await this.#transaction((transaction) => readRotations(transaction, LISTED))).map(reportOf);
  }

  async read(id: Uuid): Promise<RotationReport> {
    const [row] = await this.#transaction((transaction) => readRotations(transaction, 1, id));
    if (row === undefined) throw new EncryptionError('encryption.no-such-rotation');
    return reportOf(row);
  }

  async cancel(id: Uuid): Promise<RotationReport> {
    try {
      return await this.#end(id, { state: 'cancelled', retired: [] });
    } catch (error) {
      if (error instanceof NotOurs) throw new EncryptionError('encryption.no-such-rotation');
      throw error;
    }
  }

  /** Through all tables from where the row says, then either once more or to the end. */
  async #pass(begun: RotationRow, threads: RenewalThreads, signal: AbortSignal | undefined): Promise<void> {
    const { database, encryption } = this.#options;
    const isLong = begun.total >= ROWS_WORTH_A_THREAD[database.engine];
    const renewer: Renewer = isLong ? threads.renew : renewHere;
    const scope = scopeOf(begun);
    const scoped = this.#scoped(scope);
    // Whoever still writes under a former version has to be through before a pass that may be the last one begins.
    if (begun.at_table === null) await fence(database, signal);
    let row = begun;
    const first = row.at_table === null ? 0 : scoped.findIndex(({ table }) => table.table === row.at_table);
    for (const [index, { table, columns }] of scoped.entries()) {
      if (index < first) continue;
      const shape = await this.#transaction((transaction) => tableShape(transaction, table.table));
      const target = {
        table,
        columns,
        shape,
        tenant: scope.kind === 'tenant' ? scope.tenant : null,
        keyVersion: row.key_version,
      };
      let next = row;
      await walk({
        database,
        shape,
        columns: neededColumns(target),
        after: index === first ? row.cursor : null,
        share: row.share,
        rows: this.#options.rowsAtOnce,
        signal,
        atOnce: BATCHES_AT_ONCE,
        work: async (transaction, { rows, after }, turn) => {
          const result = await rewrite(transaction, target, rows, { encryption, renewer, turn });
          const step = { table: table.table, after, seen: rows.length, result };
          next = await advance(transaction, row, step, this.#now());
        },
        committed: () => {
          row = next;
        },
      });
    }
    const isClean = row.rewritten_in_pass === 0;
    if (isClean && row.damaged > 0) await this.#end(row.id, { state: 'failed', retired: [] });
    else if (isClean) await this.#transaction((transaction) => toFinishing(transaction, row, this.#now()));
    else {
      await this.#transaction(async (transaction) =>
        nextPass(transaction, row, await this.#count(transaction, scoped), this.#now()),
      );
    }
  }

  async #finish(row: RotationRow, signal: AbortSignal | undefined): Promise<void> {
    const { database, encryption } = this.#options;
    const retired: number[] = [];
    if (!row.keeps_former) {
      // Whoever has read a value of before opens it before its key goes.
      await fence(database, signal);
      const { keyVersion, versions } = await encryption.keyTree.status(database);
      // A rotation of everything has just seen that none is left; after another one, other tenants and columns may need them.
      const inUse = row.kind === 'root' ? new Set<number>() : await this.#versionsInUse();
      for (const { version, isLookupOnly } of versions) {
        // A version made after this rotation began is not its business.
        if (version >= Math.min(keyVersion, row.key_version) || inUse.has(version)) continue;
        // One that was kept for blind indexes goes for good when the last of them has left it.
        await encryption.keyTree.retire(database, version);
        if (!isLookupOnly) retired.push(version);
      }
    }
    await this.#end(row.id, { state: 'complete', retired });
  }

  async #end(id: Uuid, outcome: Parameters<typeof finish>[2]): Promise<RotationReport> {
    return this.#transaction(async (transaction) => {
      const report = reportOf(await finish(transaction, id, outcome, this.#now()));
      await this.#options.record?.(transaction, 'ended', report);
      return report;
    });
  }

  /** Also if another process made it. */
  #presentVersion(): Promise<number> {
    const { encryption } = this.#options;
    return this.#transaction(async (transaction) => {
      await encryption.subjects(transaction, []);
      return encryption.keyVersion;
    });
  }

  #versionsInUse(): Promise<ReadonlySet<number>> {
    return this.#transaction((transaction) => versionsInUse(transaction, this.#options.tables));
  }

  #scoped(scope: RotationScope): readonly ScopedTable[] {
    const { tables } = this.#options;
    if (scope.kind === 'root') return tables.map((table) => ({ table, columns: table.columns }));
    if (scope.kind === 'tenant') {
      return tables.filter(({ tenant }) => tenant !== null).map((table) => ({ table, columns: table.columns }));
    }
    return tables.flatMap((table) => {
      const columns = table.columns.filter(({ column }) => column === scope.column);
      return table.table === scope.table && columns.length > 0 ? [{ table, columns }] : [];
    });
  }

  async #count(transaction: Transaction, scoped: readonly ScopedTable[]): Promise<number> {
    let total = 0;
    for (const { table } of scoped) total += await countRows(transaction, await tableShape(transaction, table.table));
    return total;
  }

  #transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#options.database.transaction(asSystem, work);
  }

  #now(): Date {
    return new Date(this.#options.clock.now());
  }
}

/** The key versions that stored values name; see docs/format/fields.md. Without values about people who were erased, which open under no version. */
export async function versionsInUse(
  transaction: Transaction,
  tables: readonly EncryptedTable[],
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const { table, columns } of tables) {
    for (const { column, subject } of columns) {
      const people = sql.join([sql`null::uuid`, ...[subject ?? []].flat().map((name) => sql.ref(`row.${name}`))]);
      const hasKey = sql`exists (select 1 from subject_keys as person where person.subject in (${people}))`;
      const { rows } = await sql<{ version: string }>`
        select distinct encode(substring(${sql.ref(`row.${column}`)} from 3 for 4), 'hex') as version
        from ${sql.table(table)} as ${sql.id('row')}
        where octet_length(${sql.ref(`row.${column}`)}) >= 6 and ${subject === null ? sql`true` : hasKey}`.execute(
        transaction,
      );
      for (const { version } of rows) found.add(Number.parseInt(version, 16));
    }
  }
  return found;
}
