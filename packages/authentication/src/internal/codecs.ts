/** How the room's encrypted columns are sealed: which row a value belongs to, and about whom it is. */
import { encryptedTableOf, rowCodec, sealed, type EncryptedTable, type RotatedIndex } from '@strongroom/encryption';
import { dataMap } from './data-map.ts';

/** The wrapped keys are no personal data, but go with the person: they lie under the same key. */
export const accountCodec = rowCodec(dataMap, 'accounts', {
  row: ['id'],
  subject: 'id',
  columns: {
    email: sealed.text({ index: 'email_index' }),
    display_name: sealed.text(),
    private_key: sealed.bytes(),
    account_key_by_password: sealed.bytes(),
    account_key_by_recovery: sealed.bytes(),
  },
});

export const sessionCodec = rowCodec(dataMap, 'sessions', {
  row: ['id'],
  subject: 'account_id',
  columns: { device_name: sealed.text() },
});

/** For rotation. */
export const encryptedTables: readonly EncryptedTable[] = [
  encryptedTableOf(accountCodec),
  encryptedTableOf(sessionCodec),
];

/** The blind indexes with a second column, by which they are rotated. */
export const rotatedIndexes: readonly RotatedIndex[] = [
  { table: 'accounts', column: 'email', columns: ['email_index', 'email_index_next'] },
];
