import type { SessionSource } from './session.ts';

/** Names of the two roles, the same in every installation. */
export const SERVING_ROLE = 'strongroom_app';
export const SYSTEM_ROLE = 'strongroom_system';

/** An opened PGlite or PostgreSQL. */
export interface Engine {
  readonly name: 'pglite' | 'postgresql';
  /** Connections that serve transactions. */
  readonly serving: SessionSource;
  /**
   * Connections that own the tables: they migrate and check. `null` when this process may only serve.
   * Closed by `closeOwner` after the start.
   */
  readonly owner: SessionSource | null;
  closeOwner(): Promise<void>;
  /** What the operator should know, in sentences. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}
