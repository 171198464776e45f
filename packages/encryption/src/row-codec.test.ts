import {
  defineDataMap,
  newUuid,
  operational,
  personal,
  secret,
  subject,
  type PersonalColumn,
} from '@strongroom/kernel';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createEncryption } from './encryption.ts';
import { derivedSlot } from './derived-slot.test-support.ts';
import { rowCodec, sealed, type SealedColumn } from './row-codec.ts';

const about = (
  more: Pick<PersonalColumn, 'category' | 'protection'> & { blindIndex?: string; subject?: string },
): PersonalColumn =>
  personal({
    subject: 'owner',
    purpose: 'remembering',
    lawfulBasis: 'contract',
    retention: 'until the account is deleted',
    ...more,
  });

const dataMap = defineDataMap({
  notes: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: operational,
      part: operational,
      owner: subject,
      reader: subject,
      address: about({ category: 'user.contact.email', protection: 'encrypted', blindIndex: 'address_index' }),
      address_index: secret('hashed'),
      settings: about({ category: 'user.behavior', protection: 'encrypted' }),
      photo: about({ category: 'user.content', protection: 'encrypted', subject: 'reader' }),
      token: secret('encrypted'),
      title: about({ category: 'user.content', protection: 'clear' }),
    },
  },
  empty: { scope: 'installation', columns: { id: operational } },
});

const columns = {
  address: sealed.text({ index: 'address_index' }),
  settings: sealed.json<{ readonly dark: boolean }>(),
  photo: sealed.bytes({ subject: 'reader' }),
  token: sealed.bytes({ subject: null, algorithm: 'xaes-256-gcm' }),
};
const notes = rowCodec(dataMap, 'notes', { row: ['id', 'part'], subject: 'owner', columns });

const encryption = await createEncryption({ slot: derivedSlot() });
const rows = notes.with(encryption);
const [tenant, id, owner, reader] = [newUuid(), newUuid(), newUuid(), newUuid()];
const at = { tenant_id: tenant, id, part: 3, owner, reader };
const open = {
  ...at,
  address: 'Ada@example.org',
  settings: { dark: true },
  photo: Uint8Array.of(1, 2),
  token: Uint8Array.of(9),
  title: 'a title',
};

const code = (wanted: string) => expect.objectContaining({ code: `encryption.${wanted}` });

describe('rowCodec', () => {
  it('seals a row, fills its index and opens it again', () => {
    const stored = rows.seal(open);
    expectTypeOf(stored.address).toEqualTypeOf<Uint8Array>();
    expectTypeOf(stored.address_index).toEqualTypeOf<Uint8Array>();
    expectTypeOf(stored.title).toEqualTypeOf<string>();
    expect(stored.title).toBe('a title');
    expect(stored.token[1]).toBe(2);
    expect(stored.address_index).toEqual(notes.blindIndex(encryption, 'address', tenant, ' ada@EXAMPLE.org'));
    expect(rows.matches('address', tenant, ' ada@EXAMPLE.org')).toEqual([
      { column: 'address_index', value: stored.address_index },
    ]);
    expect(() => rows.matches('photo', tenant, 'x')).toThrow(code('query-refused'));
    // The same bytes as without the codec: the stored format is that of docs/format/fields.md.
    const place = { tenant, table: 'notes', row: `${id} 3` };
    expect(encryption.openText({ ...place, column: 'address', subject: owner }, stored.address)).toBe(open.address);
    expect(encryption.open({ ...place, column: 'photo', subject: reader }, stored.photo)).toEqual(open.photo);
    expect(encryption.open({ ...place, column: 'token', subject: null }, stored.token)).toEqual(open.token);
    expect(encryption.openText({ ...place, column: 'settings', subject: owner }, stored.settings)).toBe(
      '{"dark":true}',
    );

    const opened = rows.open(stored);
    expectTypeOf(opened.address).toEqualTypeOf<string>();
    expectTypeOf(opened.settings).toEqualTypeOf<{ readonly dark: boolean }>();
    expectTypeOf(opened.photo).toEqualTypeOf<Uint8Array>();
    expect(opened).toEqual(open);
    // What was opened can be sealed again.
    expect(rows.open(rows.seal(opened))).toEqual(open);
    expect(notes.subjectsOf([stored])).toEqual([owner, reader]);
  });

  it('leaves null and what is missing as they are', () => {
    const stored = rows.seal({ ...at, address: null as string | null, settings: undefined });
    expect(stored).toEqual({ ...at, address: null, address_index: null });
    expect(rows.open({ ...at, address: null })).toEqual({ ...at, address: null });
    expectTypeOf(rows.open({ ...at, address: stored.address }).address).toEqualTypeOf<string | null>();
    expect(notes.subjectsOf([{ ...at, address: null }])).toEqual([]);
  });

  it('seals a change for the row it is told', () => {
    const changed = rows.change(at, { address: 'b@example.org', title: 'new' });
    expect(Object.keys(changed)).toEqual(['address', 'address_index', 'title']);
    expect(rows.open({ ...at, address: changed.address }).address).toBe('b@example.org');
    expect(() => rows.open({ ...at, id: newUuid(), address: changed.address })).toThrow(code('cannot-open'));
    expect(() => rows.open({ ...at, owner: newUuid(), address: changed.address })).toThrow(code('cannot-open'));
  });

  it('refuses a value whose place is not known', () => {
    for (const missing of ['id', 'part', 'tenant_id', 'owner']) {
      const somewhere = { ...at, [missing]: undefined };
      expect(() => rows.change(somewhere, { address: 'x' })).toThrow(code('place-unknown'));
      expect(() => rows.change(somewhere, { address: 'x' })).toThrow(`notes.${missing}`);
      expect(rows.change(somewhere, { address: null })).toEqual({ address: null, address_index: null });
    }
    expect(() => rows.change({ ...at, id: 'a b' }, { address: 'x' })).toThrow(code('place-unknown'));
    for (const odd of [id.toUpperCase(), `{${id}}`, id.replaceAll('-', '')]) {
      expect(() => rows.change({ ...at, id: odd }, { address: 'x' })).toThrow(code('place-unknown'));
    }
    expect(() => rows.change({ ...at, part: 1.5 }, { address: 'x' })).toThrow(code('place-unknown'));
    // A column about nobody needs no person.
    expect(rows.change({ ...at, owner: null }, { token: Uint8Array.of(1) }).token).toBeInstanceOf(Uint8Array);
    // @ts-expect-error -- nor does it compile
    expect(() => rows.seal({ id, part: 3, owner, address: 'x' })).toThrow(code('place-unknown'));
  });

  it('refuses plaintext, on the way out and of the wrong kind on the way in', () => {
    const plain = 'ada@example.org' as unknown as Uint8Array;
    expect(() => rows.open({ ...at, address: plain })).toThrow(code('plaintext-refused'));
    expect(() => rows.open({ ...at, address: new TextEncoder().encode('x'.repeat(80)) })).toThrow(
      code('unknown-version'),
    );
    // @ts-expect-error -- text is no number
    expect(() => rows.change(at, { address: 7 })).toThrow(TypeError);
    // @ts-expect-error -- bytes are no text
    expect(() => rows.change(at, { photo: 'text' })).toThrow(/"photo" must be bytes/);
    expect(() => rows.change(at, { settings: (() => 1) as unknown as { dark: boolean } })).toThrow(/JSON/);
    // @ts-expect-error -- filled by itself
    expect(() => rows.change(at, { address_index: Uint8Array.of(1) })).toThrow(code('query-refused'));
    // Sealed as bytes, read as JSON: a program changed its mind about the column.
    const other = encryption.seal(
      { tenant, table: 'notes', column: 'settings', row: `${id} 3`, subject: owner },
      Uint8Array.of(0xff),
    );
    expect(() => rows.open({ ...at, settings: other })).toThrow(code('cannot-open'));
    const half = encryption.seal({ tenant, table: 'notes', column: 'settings', row: `${id} 3`, subject: owner }, '{"a');
    expect(() => rows.open({ ...at, settings: half })).toThrow('It holds no JSON.');
  });

  it('refuses declarations that do not agree with the data map', () => {
    const told = { row: ['id', 'part'], subject: 'owner' } as const;
    const wrong = (changed: Partial<Record<keyof typeof columns | 'title', SealedColumn | undefined>>, more = {}) => {
      const all = Object.fromEntries(Object.entries({ ...columns, ...changed }).filter(([, column]) => column));
      return () => rowCodec(dataMap, 'notes', { ...told, columns: all, ...more });
    };
    expect(wrong({ address: sealed.text() })).toThrow(/notes.address has the blind index "address_index"/);
    expect(wrong({ settings: sealed.text({ index: 'address_index' }) })).toThrow(/blind index "undefined"/);
    expect(wrong({ photo: sealed.bytes() })).toThrow(/notes.photo is about "reader"/);
    expect(wrong({ token: undefined })).toThrow(/notes.token is missing/);
    expect(wrong({ title: sealed.text() })).toThrow(/notes.title is not declared as encrypted/);
    expect(wrong({ token: sealed.bytes({ subject: 'nobody' }) })).toThrow(/notes.nobody is not in the data map/);
    expect(wrong({ token: sealed.bytes({ subject: null, moving: { from: 'title', until: 'soon' } }) })).toThrow(
      /no day/,
    );
    expect(wrong({ token: sealed.bytes({ subject: null, moving: { from: 'id', until: '2027-01-31' } }) })).toThrow(
      /not declared as a column in the clear/,
    );
    expect(wrong({}, { row: [] })).toThrow(/primary key/);
    // @ts-expect-error -- no such table
    expect(() => rowCodec(dataMap, 'nowhere', { row: [], columns: {} })).toThrow(/not in the data map/);
  });
});
