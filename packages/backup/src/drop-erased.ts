/** What a restore does with rows about people who were erased after the backup was made. */
import type { Manifest, TableDeclaration } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';

/** People asked about at once. */
const BATCH = 1_000;

/** The columns naming the people whose encrypted values a row holds. */
function subjectColumns({ columns }: TableDeclaration): readonly string[] {
  const names = Object.values(columns).flatMap((column) =>
    column.kind === 'personal' && column.protection === 'encrypted' ? [column.subject] : [],
  );
  return [...new Set(names)];
}

/**
 * Removes the rows with encrypted values about people who were erased: nobody can read the values any more, but the row and its blind indexes would still
 * tell that there was somebody. `erasedOf` answers which of the given people were. Returns the number of rows removed.
 */
export async function dropErased<Subject extends string>(
  transaction: Transaction,
  manifests: readonly Pick<Manifest, 'dataMap'>[],
  erasedOf: (subjects: readonly Subject[]) => Promise<ReadonlySet<Subject>>,
): Promise<number> {
  let dropped = 0;
  for (const [table, declaration] of manifests.flatMap(({ dataMap }) => Object.entries(dataMap ?? {}))) {
    for (const column of subjectColumns(declaration)) {
      let last: Subject | null = null;
      for (;;) {
        const { rows }: { rows: { subject: Subject }[] } = await sql<{ subject: Subject }>`
          select distinct ${sql.ref(column)} as subject from ${sql.table(table)}
          where ${sql.ref(column)} > ${last}::uuid or (${last}::uuid is null and ${sql.ref(column)} is not null)
          order by 1 limit ${BATCH}`.execute(transaction);
        if (rows.length === 0) break;
        last = rows.at(-1)!.subject;
        const erased = await erasedOf(rows.map(({ subject }) => subject));
        if (erased.size === 0) continue;
        const removed = await sql`
          delete from ${sql.table(table)} where ${sql.ref(column)} = any(${[...erased]}::uuid[])`.execute(transaction);
        dropped += Number(removed.numAffectedRows ?? 0n);
      }
    }
  }
  return dropped;
}
