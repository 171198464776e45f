/** Every table with values that the server encrypts, and what their places are made of. A test compares it with the data maps. */
import { manifest as auditLog } from '@strongroom/audit-log';
import { manifest as authentication } from '@strongroom/authentication';
import { type EncryptedRows, type EncryptedTable, encryptedTable } from '@strongroom/encryption';
import type { DataMap } from '@strongroom/kernel';
import { manifest as memories } from '@strongroom/memories';

const of = (room: { readonly dataMap?: DataMap }, table: string, rows: EncryptedRows): EncryptedTable =>
  encryptedTable(room.dataMap ?? {}, table, rows);

export const encryptedTables: readonly EncryptedTable[] = [
  of(authentication, 'accounts', {
    row: ['id'],
    subjects: { private_key: 'id', account_key_by_password: 'id', account_key_by_recovery: 'id' },
  }),
  of(authentication, 'sessions', { row: ['id'] }),
  of(auditLog, 'audit_signing_keys', { row: ['key_id'] }),
  of(auditLog, 'audit_sink_states', { row: ['sink_id'] }),
  // Sealed by clients; the server's layer is around it.
  of(memories, 'memory_versions', {
    row: ['space_id', 'memory_id', 'version'],
    subjects: { token: 'author_id' },
  }),
];
