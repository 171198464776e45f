/**
 * What a blind index would give away, told before it is built. A blind index is deterministic: whoever sees it sees which rows are equal, and how much
 * that tells depends on the values. So they are counted here; none of them leaves this file.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { asSystem, type Database } from '@strongroom/storage';
import type { EncryptedTable } from './encrypted-table.ts';
import type { Encryption } from './encryption.ts';
import { EncryptionError } from './errors.ts';
import { tableShape, walk } from './internal/batches/walk.ts';
import { leakageOf, type Leakage } from './internal/index-plan/leakage.ts';
import { neededColumns, openTexts, tenantOf, type OpenedText } from './internal/rotation/rewrite.ts';
import { normaliseText } from './normalise.ts';

export type { Leakage, WidthLeakage } from './internal/index-plan/leakage.ts';

export interface IndexPlanOptions {
  /** Widths of truncated indexes to judge beside the full one, in bits; 8, 16, 24 and 32 when absent. */
  readonly widths?: readonly number[] | undefined;
  /**
   * The distribution that an attacker is assumed to know: how often each value occurs, in any unit. When absent it is the column's own, the worst case.
   */
  readonly known?: ReadonlyMap<string, number> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface IndexPlan extends Leakage {
  readonly table: string;
  readonly column: string;
  /** Rows whose value was read. */
  readonly rows: number;
  /** Rows about people who were erased, or with values that do not open. */
  readonly unreadable: number;
}

export interface IndexPlanTarget {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly tables: readonly EncryptedTable[];
  readonly table: string;
  readonly column: string;
}

const WIDTHS = [8, 16, 24, 32];

/**
 * Reads the whole column in short transactions and writes nothing. Memory grows with the number of distinct values, some 200 bytes each. Not to be called
 * inside a transaction. Throws `encryption.column-not-encrypted`, a TypeError for an unusable width.
 */
export async function planBlindIndex(target: IndexPlanTarget, options: IndexPlanOptions = {}): Promise<IndexPlan> {
  const { database, encryption, tables } = target;
  const { widths = WIDTHS, known } = options;
  if (!widths.every((bits) => Number.isInteger(bits) && bits >= 1 && bits <= 256)) {
    throw new TypeError('plan: widths are whole numbers of bits from 1 to 256');
  }
  const table = tables.find((one) => one.table === target.table);
  const column = table?.columns.find((one) => one.column === target.column);
  if (table === undefined || column === undefined) {
    throw new EncryptionError('encryption.column-not-encrypted', { detail: `It is ${target.table}.${target.column}.` });
  }
  const normalise = column.blindIndex?.normalise ?? normaliseText;
  // Values are told apart by a hash under a key that nobody keeps, so that no list of personal data builds up in memory.
  const key = randomBytes(32);
  const nameOf = (text: string): string => createHmac('sha256', key).update(normalise(text)).digest('base64');
  const groups = new Map<string, Map<string, number>>();
  let unreadable = 0;
  const count = (tenant: string, text: OpenedText): void => {
    if (text === null) return;
    if (text === 'erased' || text === 'damaged') {
      unreadable += 1;
      return;
    }
    const counts = groups.get(tenant) ?? new Map<string, number>();
    groups.set(tenant, counts);
    const name = nameOf(text.text);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const shape = await database.transaction(asSystem, (transaction) => tableShape(transaction, table.table));
  let opened: readonly OpenedText[] = [];
  await walk({
    database,
    shape,
    columns: neededColumns({ table, columns: [column] }),
    signal: options.signal,
    work: async (transaction, { rows }) => {
      opened = await openTexts(encryption, transaction, { table, column }, rows);
    },
    // Only what was committed counts, once.
    committed: ({ rows }) => {
      for (const [index, { values }] of rows.entries()) count(tenantOf(table, values) ?? '', opened[index]!);
    },
  });
  const counted = [...groups.values()];
  const named = known === undefined ? undefined : new Map([...known].map(([text, often]) => [nameOf(text), often]));
  const rows = counted.flatMap((counts) => [...counts.values()]).reduce((sum, often) => sum + often, 0);
  return { table: table.table, column: column.column, rows, unreadable, ...leakageOf(counted, widths, named) };
}
