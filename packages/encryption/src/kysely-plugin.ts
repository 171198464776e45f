/**
 * Kysely queries on declared tables that seal and open by themselves.
 *
 *     const queries = encryptedQueries(tables(transaction), encryption, { people: peopleCodec });
 *     await queries.insertInto('people').values({ id, email: 'ada@example.org' }).execute();
 *     await queries.selectFrom('people').select('email').where('email', '=', 'Ada@example.org').execute();
 *
 * An inserted or updated value is sealed for the row, tenant and person that the statement names; what is selected is opened with the key columns
 * that are selected beside it; equality with an encrypted column becomes equality with its blind index. A query that leaves open where a value
 * belongs, or asks of an encrypted column what cannot be known, is refused with `encryption.place-unknown` or `encryption.query-refused` and the
 * way out. So is whatever is not known here: a mention of an encrypted column is refused unless it is one of these cases.
 *
 * A plugin in Kysely's sense changes queries synchronously, before any key could be read. So this is a query creator with an executor of its own:
 * keys come with one more statement for each query that writes or reads encrypted values.
 */
import { systemClock } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { QueryCreator, type ColumnType, type Transaction as KyselyTransaction } from 'kysely';
import type { Encryption } from './encryption.ts';
import type { DeclaredTable } from './internal/codec/declaration.ts';
import { Indexes } from './internal/codec/indexes.ts';
import type { FromOf, IndexOf, ValueOf } from './internal/codec/sealed-column.ts';
import { readPhases } from './internal/migration/state.ts';
import { EncryptingExecutor } from './internal/plugin/executor.ts';
import { Rewriter } from './internal/plugin/rewrite.ts';
import { declaredOf, type OpenOptions } from './row-codec.ts';

/** Of a row codec; its methods are not needed to know the types. */
interface Codec<Columns extends object> {
  readonly table: string;
  readonly columns?: Columns;
}

/** A table as queries see it that seal and open: `Stored` as Kysely knows it, with open values. Indexes fill themselves. */
export type OpenTable<Columns extends object, Stored> = {
  [Name in Exclude<keyof Stored, FromOf<Columns[keyof Columns]>>]: Name extends IndexOf<Columns[keyof Columns]>
    ? ColumnType<Stored[Name], never, never>
    : Name extends keyof Columns
      ? ColumnType<
          ValueOf<Columns[Name]> | Extract<Stored[Name], null>,
          ValueOf<Columns[Name]> | Extract<Stored[Name], null>,
          ValueOf<Columns[Name]> | Extract<Stored[Name], null>
        >
      : Stored[Name];
};

export type OpenTables<Tables, Codecs> = {
  [Table in keyof Tables]: Table extends keyof Codecs
    ? Codecs[Table] extends Codec<infer Columns>
      ? OpenTable<Columns, Tables[Table]>
      : never
    : Tables[Table];
};

export type EncryptedQueriesOptions = OpenOptions;

/** `codecs`: by the name of their table. Every query goes through `transaction`, and is good as long as that is. */
export function encryptedQueries<Tables, const Codecs extends { readonly [Table in keyof Tables]?: Codec<object> }>(
  transaction: KyselyTransaction<Tables>,
  encryption: Encryption,
  codecs: Codecs,
  { erased = 'refuse', clock = systemClock, indexes }: EncryptedQueriesOptions = {},
): QueryCreator<OpenTables<Tables, Codecs>> {
  const tables = new Map<string, DeclaredTable>();
  for (const [name, codec] of Object.entries<Codec<object> | undefined>(codecs)) {
    const declared = codec === undefined ? undefined : declaredOf.get(codec);
    if (declared?.table !== name) throw new TypeError(`encryptedQueries: "${name}" needs the codec of that table`);
    tables.set(name, declared);
  }
  const rewriter = new Rewriter(tables, (declared) => new Indexes(declared, encryption, indexes));
  // Which tables Kysely knows is a matter of types alone.
  const own = transaction as unknown as Transaction;
  const executor = new EncryptingExecutor(transaction.getExecutor(), {
    encryption,
    transaction: own,
    rewriter,
    stateOf: async (declared) => ({ phases: await readPhases(own, declared, clock.now()), indexes }),
    erased,
  });
  return new QueryCreator<OpenTables<Tables, Codecs>>({ executor });
}
