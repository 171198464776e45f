/** Verification for clients: nothing here needs Node, a database or a secret. */
export * from './bundle.ts';
export * from './checkpoint.ts';
export * from './entry-json.ts';
export * from './entry.ts';
export { AuditLogError, type AuditLogErrorCode } from './errors.ts';
export * from './found-events.ts';
export * from './key-succession.ts';
export type * from './log-source.ts';
export { CompactTree, emptyRoot, leafHash, nodeHash } from './merkle.ts';
export * from './operator-source.ts';
export * from './policy.ts';
export * from './proofs.ts';
export * from './retention.ts';
export * from './signed-note.ts';
export * from './tiles.ts';
export * from './times.ts';
export * from './tlog-proof.ts';
export * from './verify-log.ts';
