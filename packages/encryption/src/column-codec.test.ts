import {
  defineDataMap,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  type PersonalColumn,
} from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { columnCodec } from './column-codec.ts';
import { createEncryption } from './encryption.ts';
import { derivedSlot } from './derived-slot.test-support.ts';

const about = (more: Pick<PersonalColumn, 'category' | 'protection'> & { blindIndex?: string }): PersonalColumn =>
  personal({
    subject: 'id',
    purpose: 'signing in',
    lawfulBasis: 'contract',
    retention: 'until the account is deleted',
    ...more,
  });

const dataMap = defineDataMap({
  accounts: {
    scope: 'installation',
    columns: {
      id: subject,
      email: about({ category: 'user.contact.email', protection: 'encrypted', blindIndex: 'email_index' }),
      email_index: secret('hashed'),
      display_name: about({ category: 'user.name', protection: 'encrypted' }),
      nickname: about({ category: 'user.name', protection: 'clear' }),
      note: secret('encrypted'),
      created_at: operational,
    },
  },
  visits: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: subject,
      device: about({ category: 'user.device', protection: 'encrypted', blindIndex: 'device_index' }),
      device_index: secret('hashed'),
    },
  },
});

const encryption = await createEncryption({ slot: derivedSlot() });
const accounts = columnCodec(encryption, dataMap, 'accounts');
const visits = columnCodec(encryption, dataMap, 'visits');

const account = newUuid();
const at = { tenant: null, row: account, subject: account };

describe('columnCodec', () => {
  it('seals and opens the encrypted columns of a table', () => {
    const value = accounts.seal('email', at, 'ada@example.org');
    expect(accounts.openText('email', at, value)).toBe('ada@example.org');
    expect(encryption.openText({ ...at, table: 'accounts', column: 'email' }, value)).toBe('ada@example.org');
    expect(() => accounts.open('display_name', at, value)).toThrow(
      expect.objectContaining({ code: 'encryption.cannot-open' }),
    );
    const bytes = accounts.open(
      'note',
      { ...at, subject: null },
      accounts.seal('note', { ...at, subject: null }, Uint8Array.of(1)),
    );
    expect(bytes).toEqual(Uint8Array.of(1));
  });

  it('finds an address by its index however it was spelled', () => {
    const index = accounts.blindIndex('email', null, 'Ada.Lovelace@Example.ORG');
    expect(accounts.blindIndex('email', null, ' ada.lovelace@example.org\n')).toEqual(index);
    expect(accounts.blindIndex('email', null, 'ada.lovelace@example.com')).not.toEqual(index);
    expect(
      encryption.blindIndex({ tenant: null, table: 'accounts', column: 'email' }, 'ada.lovelace@example.org'),
    ).toEqual(index);
    const tenant = newUuid();
    expect(visits.blindIndex('device', tenant, 'A')).toEqual(visits.blindIndex('device', tenant, 'A '));
    expect(visits.blindIndex('device', tenant, 'A')).not.toEqual(visits.blindIndex('device', tenant, 'a'));
    expect(visits.blindIndex('device', tenant, 'A')).not.toEqual(visits.blindIndex('device', newUuid(), 'A'));
  });

  it('refuses columns that are not declared as encrypted', () => {
    const refused = expect.objectContaining({ code: 'encryption.column-not-encrypted' });
    expect(() => accounts.seal('nickname', at, 'x')).toThrow(refused);
    expect(() => accounts.seal('email_index', at, 'x')).toThrow(refused);
    expect(() => accounts.open('nickname', at, new Uint8Array(80))).toThrow(refused);
    expect(() => accounts.blindIndex('display_name', null, 'x')).toThrow(refused);
    expect(() => accounts.blindIndex('note', null, 'x')).toThrow(refused);
    // @ts-expect-error -- an operational column is no choice for the type either
    expect(() => accounts.seal('created_at', at, 'x')).toThrow(refused);
    // @ts-expect-error -- nor one that does not exist
    expect(() => accounts.seal('password', at, 'x')).toThrow(refused);
    // @ts-expect-error -- nor a name that every object knows
    expect(() => accounts.seal('constructor', at, 'x')).toThrow(refused);
    // @ts-expect-error -- nor a table that does not exist
    expect(() => columnCodec(encryption, dataMap, 'sessions')).toThrow(refused);
  });

  it('uses the algorithm chosen for a column, and opens either', () => {
    const chosen = columnCodec(encryption, dataMap, 'accounts', { algorithms: { email: 'xaes-256-gcm' } });
    const value = chosen.seal('email', at, 'x');
    expect([value[1], chosen.seal('display_name', at, 'x')[1], accounts.seal('email', at, 'x')[1]]).toEqual([2, 1, 1]);
    expect(accounts.openText('email', at, value)).toBe('x');
    expect(chosen.openText('email', at, accounts.seal('email', at, 'y'))).toBe('y');
  });

  it('refuses places that do not fit the declaration', () => {
    const refused = expect.objectContaining({ code: 'encryption.wrong-place' });
    const tenant = newUuid();
    expect(() => accounts.seal('email', { ...at, subject: null }, 'x')).toThrow(refused);
    expect(() => accounts.seal('email', { ...at, tenant }, 'x')).toThrow(refused);
    expect(() => accounts.blindIndex('email', tenant, 'x')).toThrow(refused);
    expect(() => visits.seal('device', at, 'x')).toThrow(refused);
    expect(() => visits.blindIndex('device', null, 'x')).toThrow(refused);
    expect(visits.openText('device', { ...at, tenant }, visits.seal('device', { ...at, tenant }, 'x'))).toBe('x');
  });
});
