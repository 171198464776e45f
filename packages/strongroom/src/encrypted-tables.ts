/** Every table with values that the server encrypts, and what their places are made of. A test compares it with the data maps. */
import { manifest as auditLog } from '@strongroom/audit-log';
import { encryptedTables as authentication } from '@strongroom/authentication';
import { type EncryptedRows, type EncryptedTable, encryptedTable } from '@strongroom/encryption';
import type { DataMap } from '@strongroom/kernel';
import { manifest as memories } from '@strongroom/memories';

const of = (room: { readonly dataMap?: DataMap }, table: string, rows: EncryptedRows): EncryptedTable =>
  encryptedTable(room.dataMap ?? {}, table, rows);

export const encryptedTables: readonly EncryptedTable[] = [
  ...authentication,
  of(auditLog, 'audit_signing_keys', { row: ['key_id'] }),
  // Openings themselves lie under these keys and are never written anew.
  of(auditLog, 'audit_opening_keys', { row: ['person'], subjects: { sealed_key: 'account_id' } }),
  of(auditLog, 'audit_sink_states', { row: ['sink_id'] }),
  // Sealed by clients; the server's layer is around it.
  of(memories, 'memory_versions', {
    row: ['space_id', 'memory_id', 'version'],
    subjects: { token: 'author_id' },
  }),
];

/** Tables whose encrypted values lie under keys that are values of one of the tables above: a rotation wraps those keys anew. */
export const envelopedTables: ReadonlySet<string> = new Set(['audit_inbox', 'audit_openings']);
