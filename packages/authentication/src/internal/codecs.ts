/** How the room's encrypted columns are sealed: which row a value belongs to, and about whom it is. */
import { rowCodec, sealed } from '@strongroom/encryption';
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
