import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { isUuid } from '@strongroom/kernel';
import { Kysely } from 'kysely';
import type { Database, Scope, Transaction } from '../database.ts';
import { StorageError } from '../errors.ts';
import { sessionDialect, type TransactionConnection } from './dialect.ts';
import { SERVING_ROLE, SYSTEM_ROLE, type Engine } from './engine.ts';
import { toStorageError } from './failures.ts';

/** How often one piece of work is tried when the database asks for a repetition (SQLSTATE 40001, 40P01). */
const ATTEMPTS = 6;
/** Upper limit of the first random pause between attempts, milliseconds; doubled for each further one. */
const FIRST_PAUSE = 8;

/** Follows the asynchronous flow of `work`, so that a transaction opened within another is noticed. */
interface Running {
  readonly scope: Scope;
  /** False once the transaction ended: timers set inside it may open their own. */
  open: boolean;
  connection?: TransactionConnection;
}

/** Of the transactions that run. Those derived from them, with plugins for example, are not among them. */
const connections = new WeakMap<Transaction, TransactionConnection>();

export const connectionOf = (transaction: Transaction): TransactionConnection | undefined =>
  connections.get(transaction);

/** The statements that give a transaction its role and tenant, for it alone. */
function scopeStatements(scope: Scope): string {
  switch (scope.kind) {
    case 'tenant':
      // Part of a statement's text: nothing but an id may get here.
      if (!isUuid(scope.tenant)) throw new TypeError('scope: tenant must be an id');
      return `set local role ${SERVING_ROLE}; set local strongroom.tenant = '${scope.tenant}'`;
    case 'installation':
      return `set local role ${SERVING_ROLE}; set local strongroom.tenant = ''`;
    case 'system':
      return `set local role ${SYSTEM_ROLE}; set local strongroom.tenant = ''`;
    default:
      throw new TypeError('scope: unknown kind');
  }
}

export class Handle implements Database {
  readonly engine: Engine['name'];
  readonly warnings: readonly string[];
  readonly #engine: Engine;
  readonly #running = new AsyncLocalStorage<Running>();
  readonly #kysely: Kysely<object>;
  #active = 0;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.engine = engine.name;
    this.warnings = engine.warnings;
    this.#engine = engine;
    const opening = (connection: TransactionConnection): string => {
      const running = this.#running.getStore();
      if (running === undefined) throw new TypeError('a transaction needs a scope');
      running.connection = connection;
      return scopeStatements(running.scope);
    };
    this.#kysely = new Kysely<object>({ dialect: sessionDialect(engine.serving, opening) });
  }

  async transaction<Result>(scope: Scope, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.#running.getStore()?.open === true) throw new StorageError('storage.nested-transaction');
    if (this.#closing !== undefined) throw new StorageError('storage.closed');
    this.#active += 1;
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#once(scope, work);
        } catch (error) {
          if (!(error instanceof StorageError && error.code === 'storage.conflict') || attempt === ATTEMPTS)
            throw error;
          await delay(Math.random() * FIRST_PAUSE * 2 ** (attempt - 1));
        }
      }
    } finally {
      this.#active -= 1;
      if (this.#active === 0) this.#idle?.();
    }
  }

  async #once<Result>(scope: Scope, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const running: Running = { scope, open: true };
    const known = async (transaction: Transaction): Promise<Result> => {
      if (running.connection !== undefined) connections.set(transaction, running.connection);
      try {
        return await work(transaction);
      } finally {
        connections.delete(transaction);
      }
    };
    try {
      return await this.#running.run(running, () => this.#kysely.transaction().execute(known));
    } finally {
      running.open = false;
    }
  }

  async close(): Promise<void> {
    // It would wait for itself.
    if (this.#running.getStore()?.open === true) throw new StorageError('storage.nested-transaction');
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      await this.#engine.close();
    } catch (error) {
      throw toStorageError(error);
    }
  }
}
