/** The handle through which every room reaches its tables, the same on PGlite and on PostgreSQL. */
import type { Uuid } from '@strongroom/kernel';
import type { Kysely, Transaction as KyselyTransaction } from 'kysely';

/**
 * A Kysely transaction that names no tables of its own. A room gives it its tables once:
 * `const tables = (transaction: Transaction) => transaction.$extendTables<MemoryTables>()`.
 */
export type Transaction = KyselyTransaction<{}>;

/**
 * On whose behalf a transaction runs. It sets the database role and the tenant that row-level security compares with.
 * - `tenant`: the serving role, rows of this tenant only;
 * - `installation`: the serving role, no tenant; only tables shared by the installation show rows;
 * - `system`: the role of jobs and sequencers, all tenants.
 */
export type Scope =
  | { readonly kind: 'tenant'; readonly tenant: Uuid }
  | { readonly kind: 'installation' }
  | { readonly kind: 'system' };

export const inTenant = (tenant: Uuid): Scope => ({ kind: 'tenant', tenant });
export const inInstallation: Scope = { kind: 'installation' };
export const asSystem: Scope = { kind: 'system' };

export interface Database {
  readonly engine: 'pglite' | 'postgresql';
  /** What the operator should be told at the start, in sentences: relaxed durability, a login with more rights than it needs. */
  readonly warnings: readonly string[];
  /**
   * Runs `work` in one transaction and commits when it resolves, rolls back when it rejects. This is the only way to the
   * data: reads too, since role and tenant are set per transaction. Inside `work` only the given transaction may be
   * used; opening another one there (which would wait forever on PGlite) is refused with `storage.nested-transaction`.
   * Never await a network answer inside `work`. Serialisation failures and deadlocks are retried by running `work` again, so it
   * must have no effect outside the transaction.
   */
  transaction<Result>(scope: Scope, work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Waits for running transactions, then closes. Later calls are refused with `storage.closed`. */
  close(): Promise<void>;
}

/** What migrations and the drift check need: not for rooms. */
export type OwnerConnection = Kysely<unknown>;
