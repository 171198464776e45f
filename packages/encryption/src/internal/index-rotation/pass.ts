/** One way through a table: the index that a rotation fills or empties, made as it should be in every row. */
import type { Clock } from '@strongroom/kernel';
import type { Database, Transaction } from '@strongroom/storage';
import type { Encryption } from '../../encryption.ts';
import { EncryptionError } from '../../errors.ts';
import { compareAndSwap, walk, type TableShape, type WalkedRow } from '../batches/walk.ts';
import { neededColumns, openTexts, tenantOf } from '../rotation/rewrite.ts';
import type { DeclaredIndex } from './reader.ts';
import { moveIndex, type IndexRow } from './record.ts';

export interface IndexPass {
  readonly database: Database;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly rowsAtOnce?: number | undefined;
  readonly declared: DeclaredIndex;
  readonly shape: TableShape;
  readonly begun: IndexRow;
  readonly signal: AbortSignal | undefined;
}

/**
 * From where the index's row says, which another process may have written; resolves with the row afterwards. Throws `encryption.cannot-open` for
 * a value that does not open, `encryption.rotation-running` when the rotation was cancelled meanwhile.
 */
export async function indexPass(pass: IndexPass): Promise<IndexRow> {
  const { database, clock, rowsAtOnce, declared, shape, begun, signal } = pass;
  const { table, column } = declared;
  const other = begun.other_column!;
  let [row, next] = [begun, begun];
  await walk({
    database,
    shape,
    columns: [...neededColumns({ table, columns: [column] }), other],
    after: begun.cursor,
    rows: rowsAtOnce,
    share: begun.share,
    signal,
    work: async (transaction, batch) => {
      const wanted =
        begun.state === 'emptying' ? batch.rows.map(() => null) : await indexesOf(pass, transaction, batch.rows);
      const swaps = batch.rows.flatMap(({ key, values }, index) => {
        const to = wanted[index]!;
        const from = values[other] as Uint8Array | null;
        if (from === null ? to === null : to !== null && Buffer.compare(from, to) === 0) return [];
        // Only while the value itself is still the one that was read.
        return [{ key, from: [values[column.column], from], to: [values[column.column], to] }];
      });
      const swapped = await compareAndSwap(transaction, shape, [column.column, other], swaps);
      next = {
        ...row,
        cursor: batch.after,
        seen: row.seen + batch.rows.length,
        wrong_in_pass: row.wrong_in_pass + swaps.length,
        changed: row.changed + swapped,
        failure: null,
      };
      await moveIndex(transaction, begun.state, next, new Date(clock.now()));
    },
    committed: () => {
      row = next;
    },
  });
  return row;
}

async function indexesOf(
  { encryption, declared: { table, column, normalise }, begun }: IndexPass,
  transaction: Transaction,
  rows: readonly WalkedRow[],
): Promise<(Uint8Array | null)[]> {
  const texts = await openTexts(encryption, transaction, { table, column }, rows);
  return texts.map((text, index) => {
    if (text === null || text === 'erased') return null;
    const { values } = rows[index]!;
    if (text === 'damaged') {
      throw new EncryptionError('encryption.cannot-open', {
        detail: `It is ${table.table}.${column.column} of ${rows[index]!.key.join(' ')}.`,
      });
    }
    const place = { tenant: tenantOf(table, values), table: table.table, column: column.column };
    return encryption.blindIndex(place, normalise(text.text), begun.other_version!);
  });
}
