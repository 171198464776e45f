/** What both engines offer beneath Kysely: one connection that runs one statement after another. */
export interface StatementResult {
  readonly rows: readonly Record<string, unknown>[];
  /** The command tag's first word, for example `INSERT`. */
  readonly command: string;
  /** Rows inserted, updated, deleted or returned. */
  readonly rowCount: number;
}

export interface Session {
  /** One statement with parameters. Throws StorageError only. */
  query(sql: string, parameters: readonly unknown[]): Promise<StatementResult>;
  /** Several statements without parameters in one round trip. Returns the result of the last. Throws StorageError only. */
  run(sql: string): Promise<StatementResult>;
}

export interface SessionSource {
  acquire(): Promise<Session>;
  /** `broken`: its state is unknown, it must not be used again. */
  release(session: Session, broken: boolean): void;
}
