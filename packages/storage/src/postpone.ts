/** Statements that share a round trip with whatever comes after them. */
import { CompiledQuery } from 'kysely';
import type { Transaction } from './database.ts';
import { POSTPONED } from './internal/dialect.ts';
import { connectionOf } from './internal/handle.ts';

/**
 * Has statements without parameters and without a result run before the transaction's next statement, at the latest together with the
 * commit: then they cost no round trip of their own. Resolves before they ran; when the database refuses one, the next statement or the
 * whole transaction rejects with that error, and nothing is committed. Text in them must have gone through `textLiteral`.
 */
export async function postpone(transaction: Transaction, statements: string): Promise<void> {
  const connection = connectionOf(transaction);
  if (connection === undefined) await transaction.executeQuery(CompiledQuery.raw(statements, [POSTPONED]));
  else connection.postpone(statements);
}

/**
 * A string constant of SQL (PostgreSQL documentation §4.1.2.1; both engines have `standard_conforming_strings` on, so that a backslash is
 * nothing special). Throws a TypeError for the one character no text can hold, U+0000, and for lone surrogates.
 */
export function textLiteral(text: string): string {
  if (text.includes('\0') || !text.isWellFormed()) throw new TypeError('textLiteral: text must be storable');
  return `'${text.replaceAll("'", "''")}'`;
}
