/** Kysely's way to the database, with keys read before a query that writes and after one that reads. */
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type {
  CompiledQuery,
  ConnectionProvider,
  DatabaseConnection,
  KyselyPlugin,
  QueryExecutor,
  QueryId,
  QueryResult,
  RootOperationNode,
} from 'kysely';
import type { Encryption } from '../../encryption.ts';
import { declaredTableSubjects, RowPlaces, type DeclaredTable, type Fields } from '../codec/declaration.ts';
import { phaseOf, plaintextCounts } from '../codec/phases.ts';
import { RowCipher, type ReadState } from '../codec/rows.ts';
import { refuse } from './nodes.ts';
import { PendingColumn, PendingMatch, type PendingValue } from './pending.ts';
import type { Rewriter } from './rewrite.ts';
import type { OpenPlan } from './selections.ts';

export interface ExecutorParts {
  readonly encryption: Encryption;
  readonly transaction: Transaction;
  readonly rewriter: Rewriter;
  /** Read once more for each query: how far the columns are that are being encrypted. */
  readonly stateOf: (declared: DeclaredTable) => Promise<ReadState>;
  /** Rows about people who were erased are refused, or left out. */
  readonly erased: 'refuse' | 'leave-out';
}

type Row = Record<string, unknown>;

export class EncryptingExecutor implements QueryExecutor {
  readonly #base: QueryExecutor;
  readonly #parts: ExecutorParts;
  readonly #plans: WeakMap<QueryId, readonly OpenPlan[]>;

  constructor(base: QueryExecutor, parts: ExecutorParts, plans = new WeakMap<QueryId, readonly OpenPlan[]>()) {
    this.#base = base;
    this.#parts = parts;
    this.#plans = plans;
  }

  get adapter(): QueryExecutor['adapter'] {
    return this.#base.adapter;
  }

  get plugins(): QueryExecutor['plugins'] {
    return this.#base.plugins;
  }

  transformQuery<Node extends RootOperationNode>(node: Node, queryId: QueryId): Node {
    const rewritten = this.#parts.rewriter.rewrite(this.#base.transformQuery(node, queryId));
    this.#plans.set(queryId, rewritten.plans);
    return rewritten.node;
  }

  compileQuery<Result = unknown>(node: RootOperationNode, queryId: QueryId): CompiledQuery<Result> {
    return this.#base.compileQuery<Result>(node, queryId);
  }

  async executeQuery<Result>(
    query: CompiledQuery<Result>,
    options?: Parameters<QueryExecutor['executeQuery']>[1],
  ): Promise<QueryResult<Result>> {
    const plans = this.#plans.get(query.queryId);
    if (plans === undefined) throw refuse('A query that was not built here.', 'Build it with the same handle.');
    const parameters = await this.#sealed(await this.#matched(query.parameters));
    const result = await this.#base.executeQuery<Result>({ ...query, parameters }, options);
    if (plans.length === 0 || 'explain' in query.query) return result;
    return { ...result, rows: (await this.#opened(plans, result.rows as readonly Row[])) as Result[] };
  }

  // oxlint-disable-next-line require-yield -- refused
  async *stream<Result>(): AsyncIterableIterator<QueryResult<Result>> {
    throw refuse('Results with encrypted columns are not streamed.', 'Page through them.');
  }

  provideConnection<Result>(
    consumer: (connection: DatabaseConnection) => Promise<Result>,
    options?: Parameters<QueryExecutor['provideConnection']>[1],
  ): Promise<Result> {
    return this.#base.provideConnection(consumer, options);
  }

  withConnectionProvider(provider: ConnectionProvider): QueryExecutor {
    return this.#over(this.#base.withConnectionProvider(provider));
  }

  withPlugin(plugin: KyselyPlugin): QueryExecutor {
    return this.#over(this.#base.withPlugin(plugin));
  }

  withPlugins(plugins: readonly KyselyPlugin[]): QueryExecutor {
    return this.#over(this.#base.withPlugins(plugins));
  }

  withPluginAtFront(plugin: KyselyPlugin): QueryExecutor {
    return this.#over(this.#base.withPluginAtFront(plugin));
  }

  withoutPlugins(): QueryExecutor {
    return this.#over(this.#base.withoutPlugins());
  }

  #over(base: QueryExecutor): QueryExecutor {
    return new EncryptingExecutor(base, this.#parts, this.#plans);
  }

  async #matched(parameters: readonly unknown[]): Promise<readonly unknown[]> {
    const states = new Map<DeclaredTable, ReadState>();
    for (const parameter of parameters) {
      if (!(parameter instanceof PendingMatch) || states.has(parameter.declared)) continue;
      states.set(parameter.declared, await this.#parts.stateOf(parameter.declared));
    }
    return parameters.map((parameter) => {
      if (!(parameter instanceof PendingMatch)) return parameter;
      const { declared, column, inTheClear } = parameter;
      const phase = phaseOf(declared.table, column, states.get(declared)?.phases);
      return plaintextCounts(phase) === inTheClear ? parameter.value() : null;
    });
  }

  async #sealed(parameters: readonly unknown[]): Promise<readonly unknown[]> {
    const pending = new Set<PendingValue>();
    for (const parameter of parameters) if (parameter instanceof PendingColumn) pending.add(parameter.pending());
    if (pending.size === 0) return parameters;
    const people = new Set<Uuid>();
    for (const { declared, at, column, value } of pending) {
      for (const subject of declaredTableSubjects(declared, { ...at, [column]: value }, [column])) people.add(subject);
    }
    const { encryption, transaction } = this.#parts;
    const keys = await encryption.subjects(transaction, [...people], { create: true });
    const ciphers = new Map<DeclaredTable, RowCipher>();
    const stored = new Map<PendingValue, Row>();
    for (const value of pending) {
      const { declared } = value;
      if (!ciphers.has(declared)) {
        ciphers.set(declared, new RowCipher(declared, keys, await this.#parts.stateOf(declared)));
      }
      stored.set(value, ciphers.get(declared)!.seal(value.at, { [value.column]: value.value }));
    }
    return parameters.map((parameter) =>
      parameter instanceof PendingColumn ? stored.get(parameter.pending())![parameter.stored] : parameter,
    );
  }

  async #opened(plans: readonly OpenPlan[], rows: readonly Row[]): Promise<readonly Row[]> {
    const { encryption, transaction, erased } = this.#parts;
    const people = new Set<Uuid>();
    const peopleOf = (row: Row): Uuid[] =>
      plans.flatMap((plan) =>
        plan.columns.flatMap(({ column, result }) =>
          declaredTableSubjects(plan.declared, { ...besides(plan, row), [column.name]: row[result] }, [column.name]),
        ),
      );
    for (const row of rows) for (const subject of peopleOf(row)) people.add(subject);
    const keys = await encryption.subjects(transaction, [...people]);
    const ciphers: RowCipher[] = [];
    for (const { declared } of plans) {
      ciphers.push(new RowCipher(declared, keys, await this.#parts.stateOf(declared)));
    }
    const readable =
      erased === 'refuse' ? rows : rows.filter((row) => peopleOf(row).every((subject) => keys.has(subject)));
    return readable.map((row) => {
      const opened = { ...row };
      for (const [index, plan] of plans.entries()) openInto(opened, row, plan, ciphers[index]!);
      return opened;
    });
  }
}

const besides = ({ beside }: OpenPlan, row: Fields): Row =>
  Object.fromEntries([...beside].map(([column, name]) => [column, row[name]]));

function openInto(opened: Row, row: Fields, plan: OpenPlan, cipher: RowCipher): void {
  const at = besides(plan, row);
  const places = new RowPlaces(plan.declared, at);
  for (const { column, result } of plan.columns) {
    const { moving } = column.column;
    // The other side of an outer join that found nothing.
    const nothing = plan.declared.row.every((name) => at[name] === null);
    if (moving === undefined) opened[result] = cipher.openValue(column, places, row[result]);
    else opened[result] = nothing ? null : cipher.openMoving(column, places, row[result], at[moving.from]);
  }
  for (const name of plan.hidden) delete opened[name];
}
