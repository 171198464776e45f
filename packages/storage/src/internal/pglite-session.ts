/** PGlite's single connection, spoken to in PostgreSQL's wire protocol. */
import { messages, protocol, type PGlite } from '@electric-sql/pglite';
import { concatBytes } from '@strongroom/kernel';
import { toStorageError } from './failures.ts';
import type { Session, StatementResult } from './session.ts';
import { parserOf, toParameter } from './values.ts';

const { serialize } = protocol;

type Message = { readonly name: string };

/** Parse, bind, describe, execute and sync as one message: PGlite's own `query` makes six calls of them. */
function extendedQuery(sql: string, parameters: readonly unknown[]): Uint8Array {
  return concatBytes(
    serialize.parse({ text: sql }),
    serialize.bind({ values: parameters.map((value) => toParameter(value)) }),
    serialize.describe({ type: 'P' }),
    serialize.execute(),
    serialize.sync(),
  );
}

function toResult(replies: readonly Message[]): StatementResult {
  let columns: readonly { readonly name: string; readonly parse: (text: string) => unknown }[] = [];
  let rows: Record<string, unknown>[] = [];
  let result: StatementResult = { rows, command: '', rowCount: 0 };
  for (const reply of replies) {
    if (reply instanceof messages.RowDescriptionMessage) {
      columns = reply.fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
    } else if (reply instanceof messages.DataRowMessage) {
      const row: Record<string, unknown> = {};
      for (const [index, { name, parse }] of columns.entries()) {
        const text = reply.fields[index];
        row[name] = text === null || text === undefined ? null : parse(text);
      }
      rows.push(row);
    } else if (reply instanceof messages.CommandCompleteMessage) {
      const words = reply.text.split(' ');
      result = { rows, command: words[0] ?? '', rowCount: Number(words.at(-1)) || 0 };
      rows = [];
    }
  }
  return result;
}

/**
 * PostgreSQL ends the server process on such errors. PGlite cannot, and goes on with a state that nobody vouches for: the
 * instance must not be used again, nor closed in an orderly way, which would write that state to the disk.
 */
const isFatal = (error: unknown): boolean =>
  !(error instanceof messages.DatabaseError) || error.severity === 'PANIC' || error.severity === 'FATAL';

/** Calls `onFatal` when PGlite failed in a way that ends it. */
export function pgliteSession(pglite: PGlite, onFatal: () => void): Session {
  const send = async (message: Uint8Array): Promise<StatementResult> => {
    let replies: readonly Message[];
    try {
      // PGlite keeps the running query in its object; overlapping calls would mix their results.
      replies = await pglite.runExclusive(() => pglite.execProtocolStream(message, { syncToFs: false }));
    } catch (error) {
      if (isFatal(error)) onFatal();
      throw toStorageError(error);
    }
    return toResult(replies);
  };
  return {
    query: (sql, parameters) => send(extendedQuery(sql, parameters)),
    run: (sql) => send(serialize.query(sql)),
  };
}
