/** Verification for clients: nothing here needs Node, a database or a secret. */
export * from './checkpoint.ts';
export * from './entry.ts';
export { AuditLogError, type AuditLogErrorCode } from './errors.ts';
export type * from './log-source.ts';
export { CompactTree, emptyRoot, leafHash, nodeHash } from './merkle.ts';
export * from './proofs.ts';
export * from './signed-note.ts';
export * from './tiles.ts';
export * from './verify-log.ts';
