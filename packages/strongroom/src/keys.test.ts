import { join } from 'node:path';
import { undeclaredTables, ENVIRONMENT_VARIABLE, newEnvironmentKey } from '@strongroom/encryption';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { encryptedTables, envelopedTables } from './encrypted-tables.ts';
import { ROOT_SLOTS, rootSlots } from './root-slots.ts';
import { rooms } from './rooms.ts';

/** Keys wrapped in the key tree are no values: they hang beneath its root. */
const KEY_TREE = new Set(['key_nodes', 'subject_keys']);
const elsewhere = new Set([...KEY_TREE, ...envelopedTables]);

describe('the tables that a rotation goes through', () => {
  it('are all that the data maps declare as encrypted', () => {
    const missing = rooms.flatMap(({ dataMap = {} }) => undeclaredTables(dataMap, encryptedTables));
    expect(missing.filter((table) => !elsewhere.has(table))).toEqual([]);
    // It would be noticed.
    const [first, ...rest] = encryptedTables;
    expect(rooms.flatMap(({ dataMap = {} }) => undeclaredTables(dataMap, rest))).toContain(first!.table);
  });

  it('say of every value about a person whose it is', () => {
    const subjects = encryptedTables.flatMap(({ table, columns }) =>
      columns.map(({ column, subject }) => `${table}.${column} ${String(subject)}`),
    );
    expect(subjects).toEqual(
      expect.arrayContaining([
        'accounts.email id',
        'accounts.private_key id',
        'sessions.device_name account_id',
        'audit_signing_keys.private_key null',
        'memory_versions.token author_id',
      ]),
    );
  });
});

describe('root slots', () => {
  const folder = temporaryFolder();
  const named = (text: string | undefined, more: Record<string, string> = {}) => {
    const { slot, furtherSlots } = rootSlots(folder, { [ROOT_SLOTS]: text, ...more });
    return [slot, ...furtherSlots].map(({ name, erasure }) => `${name} ${erasure}`);
  };

  it('are a file in the data folder, or what the environment names', () => {
    const usual = `file ${join(folder, 'keys', 'root')} overwritten`;
    expect(named(undefined)).toEqual([usual]);
    expect(named(' ')).toEqual([usual]);
    expect(named('file:/a/root  file:keys/escrow')).toEqual([
      'file /a/root overwritten',
      `file ${join(folder, 'keys', 'escrow')} overwritten`,
    ]);
    expect(named('environment:root', { [ENVIRONMENT_VARIABLE]: newEnvironmentKey() })[0]).toMatch(/ none$/);
    const hsm = 'pkcs11:keys/hsm?module=/usr/lib/softhsm/libsofthsm2.so&token=vault';
    expect(named(hsm, { STRONGROOM_HSM_PIN: '1234' })[0]).toMatch(/^HSM token "vault" .* key-destroyed$/);
  });

  it.each(['keys/root', 'file:', 'disk:/a', 'file:/a?x=1', 'pkcs11:keys/hsm?module=/a&token=b', 'environment:a?b'])(
    'are refused when they cannot be understood: %s',
    (text) => {
      expect(() => named(text)).toThrow(expect.objectContaining({ code: 'strongroom.root-slots' }));
    },
  );
});
