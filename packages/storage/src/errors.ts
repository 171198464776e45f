import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const storageErrors = {
  'storage.nested-transaction': {
    status: 500,
    message: 'A transaction was opened inside another one; use the transaction that is already open.',
  },
  'storage.transaction-ended': { status: 500, message: 'A transaction was used after it had ended.' },
  'storage.closed': { status: 503, message: 'The database is being closed; no new work is accepted.' },
  'storage.conflict': { status: 503, message: 'Too many changes at once touched the same data; try again.' },
  'storage.timeout': { status: 503, message: 'The database did not answer in time.' },
  'storage.unavailable': { status: 503, message: 'The database cannot be reached.' },
  'storage.disk-full': {
    status: 507,
    message: 'There is no space left for the database; nothing of this change was kept. Free some space and try again.',
  },
  'storage.query-failed': { status: 500, message: 'The database refused a query.' },
  'storage.unsafe-number': {
    status: 500,
    message: 'A stored number is larger than JavaScript can hold exactly (2^53 - 1).',
  },
  'storage.folder-in-use': {
    status: 503,
    message: 'Another process has this data folder open; stop it first, or send the command to it.',
  },
  'storage.folder-unusable': { status: 500, message: 'The data folder cannot be used.' },
  'storage.damaged': {
    status: 500,
    message: 'The stored data are damaged. Nothing was changed; restore a backup into an empty folder.',
  },
  'storage.database-newer': {
    status: 500,
    message: 'The database was written by a newer version of this program; start that version or a later one.',
  },
  'storage.migration-edited': {
    status: 500,
    message: 'A migration was changed after it had been applied; put its text back and add a new migration.',
  },
  'storage.migration-failed': { status: 500, message: 'A migration could not be applied; nothing of it was kept.' },
  'storage.migration-pending': {
    status: 500,
    message: 'The database needs migrations that the serving role may not run; start once with the owner URL.',
  },
  'storage.undeclared-column': {
    status: 500,
    message: "A column is in the database but in no data map; declare it in its room's data map.",
  },
  'storage.missing-column': {
    status: 500,
    message: 'A column is in a data map but not in the database; add a migration or remove the declaration.',
  },
  'storage.missing-row-security': {
    status: 500,
    message: 'A table of a tenant has no enabled and forced row-level security; put tenantTable() into its migration.',
  },
  'storage.wrong-protection': {
    status: 500,
    message: 'A column is declared hashed, encrypted or sealed but could hold clear text; make its type bytea.',
  },
  'storage.unsupported-server': { status: 500, message: 'This database server is too old; PostgreSQL 15 is needed.' },
  'storage.unsafe-role': { status: 500, message: 'A database role could evade row-level security.' },
  'storage.role-missing': { status: 500, message: 'A database role is missing or may not be assumed.' },
  'storage.invalid-location': { status: 500, message: 'The location of the database is not valid.' },
} as const satisfies ErrorTable;

export type StorageErrorCode = keyof typeof storageErrors;

export interface StorageErrorOptions extends ErrorOptions {
  /** The five characters by which PostgreSQL names the condition (PostgreSQL documentation, appendix A). */
  readonly sqlState?: string;
  /** Name of the violated constraint. */
  readonly constraint?: string;
}

/** Never carries a query's text, its parameters or PostgreSQL's own `detail`: those hold data. */
export class StorageError extends StrongroomError<StorageErrorCode> {
  readonly sqlState: string | undefined;
  readonly constraint: string | undefined;

  constructor(code: StorageErrorCode, options: StorageErrorOptions = {}) {
    super(storageErrors, code, options);
    this.sqlState = options.sqlState;
    this.constraint = options.constraint;
  }
}

/** True when a row with that key already existed. `constraint` narrows it to one unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint?: string): error is StorageError {
  return (
    error instanceof StorageError &&
    error.sqlState === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** True when a referenced row was missing, or a row still referenced was to be removed. */
export function isForeignKeyViolation(error: unknown, constraint?: string): error is StorageError {
  return (
    error instanceof StorageError &&
    error.sqlState === '23503' &&
    (constraint === undefined || error.constraint === constraint)
  );
}
