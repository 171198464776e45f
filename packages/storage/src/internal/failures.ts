/** Turns what an engine or the network reports into a StorageError that holds no data, address or password. */
import { StorageError, type StorageErrorCode } from '../errors.ts';

interface EngineFailure {
  readonly code: string;
  readonly message: string;
  readonly constraint?: string | undefined;
}

const isEngineFailure = (error: unknown): error is EngineFailure =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

/** PostgreSQL documentation, appendix A. */
const SQL_STATES: Readonly<Record<string, StorageErrorCode>> = {
  '40001': 'storage.conflict',
  '40P01': 'storage.conflict',
  '53100': 'storage.disk-full',
  '53300': 'storage.unavailable',
  '55P03': 'storage.timeout',
  '57014': 'storage.timeout',
  '58030': 'storage.unavailable',
  '58P01': 'storage.damaged',
  '57P01': 'storage.unavailable',
  '57P02': 'storage.unavailable',
  '57P03': 'storage.unavailable',
  '57P05': 'storage.unavailable',
  '25P03': 'storage.timeout',
  '28000': 'storage.unavailable',
  '28P01': 'storage.unavailable',
  '3D000': 'storage.unavailable',
  XX001: 'storage.damaged',
  XX002: 'storage.damaged',
};

const DETAILS: Readonly<Record<string, string>> = {
  '58030': 'The disk reported an error.',
  '53300': 'The server has no connection left.',
  '28000': 'The server does not accept this login.',
  '28P01': 'The server does not accept this login.',
  '3D000': 'The server has no database of that name.',
  ECONNREFUSED: 'Nothing listens at that address.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ECONNRESET: 'The connection was cut.',
  EPIPE: 'The connection was cut.',
  ETIMEDOUT: 'The connection attempt took too long.',
  EHOSTUNREACH: 'There is no route to the host.',
  ENETUNREACH: 'There is no route to the host.',
  DEPTH_ZERO_SELF_SIGNED_CERT: "The server's certificate is not trusted.",
  SELF_SIGNED_CERT_IN_CHAIN: "The server's certificate is not trusted.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "The server's certificate is not trusted.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "The server's certificate is not trusted.",
  CERT_HAS_EXPIRED: "The server's certificate has expired.",
  ERR_TLS_CERT_ALTNAME_INVALID: "The server's certificate is for another host.",
};

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code);

/** Messages about tables and columns (class 42) hold no data; those of other classes repeat values. */
const schemaMessage = (failure: EngineFailure): Error | undefined =>
  failure.code.startsWith('42') ? new Error(failure.message) : undefined;

export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!isEngineFailure(error)) {
    // Both pg and PGlite report a lost connection as a plain Error.
    return new StorageError('storage.unavailable');
  }
  if (!isSqlState(error.code)) {
    const detail = DETAILS[error.code];
    return new StorageError('storage.unavailable', detail === undefined ? {} : { detail });
  }
  const known = SQL_STATES[error.code] ?? (error.code.startsWith('08') ? 'storage.unavailable' : undefined);
  if (known !== undefined) {
    const detail = DETAILS[error.code];
    return new StorageError(known, { sqlState: error.code, ...(detail === undefined ? {} : { detail }) });
  }
  return new StorageError('storage.query-failed', {
    detail: `SQLSTATE ${error.code}.`,
    sqlState: error.code,
    ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    cause: schemaMessage(error),
  });
}
