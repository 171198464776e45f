/** Kysely over sessions: the same path from query builder to database on both engines. */
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { StorageError } from '../errors.ts';
import type { Session, SessionSource } from './session.ts';

/** Marks statements that may wait; see `postpone`. */
export const POSTPONED: unique symbol = Symbol('postponed');

/** A connection in a transaction, for what need not go through Kysely. */
export interface TransactionConnection {
  postpone(statements: string): void;
}

class Connection implements DatabaseConnection, TransactionConnection {
  readonly session: Session;
  broken = false;
  #postponed = '';

  constructor(session: Session) {
    this.session = session;
  }

  /** See `postpone`. */
  postpone(statements: string): void {
    this.#postponed += `${statements};`;
  }

  /** The statements that wait, each with its semicolon; from now on they are the caller's to run or to drop. */
  takePostponed(): string {
    const statements = this.#postponed;
    this.#postponed = '';
    return statements;
  }

  /** Whatever comes next must see what was postponed before it. */
  async runPostponed(): Promise<void> {
    const statements = this.takePostponed();
    if (statements !== '') await this.session.run(statements);
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (query.parameters[0] === POSTPONED) {
      this.postpone(query.sql);
      return { rows: [] };
    }
    await this.runPostponed();
    const result = await this.session.query(query.sql, query.parameters);
    const rows = result.rows as Row[];
    switch (result.command) {
      case 'INSERT':
      case 'UPDATE':
      case 'DELETE':
      case 'MERGE':
        return { rows, numAffectedRows: BigInt(result.rowCount) };
      default:
        return { rows };
    }
  }

  // oxlint-disable-next-line require-yield -- the interface asks for a generator; neither engine streams
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new StorageError('storage.query-failed', { detail: 'Results are not streamed; page through them.' });
  }
}

const connectionOf = (connection: DatabaseConnection): Connection => connection as Connection;

/** Told of every transaction that begins, gives the statements that follow `begin` in the same round trip. */
type Opening = (connection: TransactionConnection) => string;

class SessionDriver implements Driver {
  readonly #source: SessionSource;
  readonly #opening: Opening;

  constructor(source: SessionSource, opening: Opening) {
    this.#source = source;
    this.#opening = opening;
  }

  async init(): Promise<void> {}

  async destroy(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Connection(await this.#source.acquire());
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { session, broken } = connectionOf(connection);
    this.#source.release(session, broken);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const level = settings.isolationLevel === undefined ? '' : ` isolation level ${settings.isolationLevel}`;
    const access = settings.accessMode === undefined ? '' : ` ${settings.accessMode}`;
    const used = connectionOf(connection);
    try {
      await used.session.run(`begin${level}${access}; ${this.#opening(used)}`);
    } catch (error) {
      // The first of the two may have worked: a connection inside a transaction must not go back to the pool.
      await this.rollbackTransaction(connection);
      throw error;
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const used = connectionOf(connection);
    const postponed = used.takePostponed();
    let command: string;
    try {
      ({ command } = await used.session.run(`${postponed}commit`));
    } catch (error) {
      // A postponed statement that the database refused is like any other: the rollback that follows ends the transaction.
      const isRefusal = postponed !== '' && error instanceof StorageError && error.sqlState !== undefined;
      if (!isRefusal) used.broken = true;
      throw error;
    }
    // PostgreSQL answers so when a statement had failed and `work` went on as if nothing had happened.
    if (command === 'ROLLBACK') {
      throw new StorageError('storage.query-failed', {
        detail: 'A failed statement was ignored; nothing was kept.',
        sqlState: '25P02',
      });
    }
  }

  /** Never throws: the reason for rolling back is what the caller must see. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    connectionOf(connection).takePostponed();
    try {
      await connectionOf(connection).session.run('rollback');
    } catch {
      connectionOf(connection).broken = true;
    }
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connectionOf(connection).runPostponed();
    await connectionOf(connection).session.run(`savepoint ${quoteIdentifier(name)}`);
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    connectionOf(connection).takePostponed();
    await connectionOf(connection).session.run(`rollback to savepoint ${quoteIdentifier(name)}`);
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connectionOf(connection).runPostponed();
    await connectionOf(connection).session.run(`release savepoint ${quoteIdentifier(name)}`);
  }
}

export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function sessionDialect(source: SessionSource, opening: Opening): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new SessionDriver(source, opening),
    createIntrospector: (kysely: Kysely<never>) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
