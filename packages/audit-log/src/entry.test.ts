import { createHash } from 'node:crypto';
import { toHex } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { canonicalDetails, commitmentTo, encodeEntry, eventLeaf, type EventColumns, opens } from './entry.ts';
import { sha256 as sha256OnNode } from './internal/sha256-node.ts';
import { sha256 as sha256Anywhere } from './internal/sha256-portable.ts';

const id = (last: string): string => `0192f0c0-1111-7222-8333-4444444444${last}`;

const event: EventColumns = {
  eventId: id('01'),
  occurredAt: 1_732_230_000_123_456,
  type: 'memory.created',
  outcome: 'denied',
  reason: 'pipeline.forbidden',
  actorKind: 'account',
  actor: id('02'),
  actorVia: 'x',
  sessionId: id('03'),
  tenantId: id('04'),
  requestId: id('05'),
  addressCommitment: new Uint8Array(32).fill(6),
  objectType: 'memory',
  objectId: 'größer',
  subjects: [id('07'), id('08')],
  details: '{"version":3}',
};

/** The format of docs/format/audit.md, written down a second time. */
function expectedBytes(columns: EventColumns): Buffer {
  const uuid = (value: string) => Buffer.from(value.replaceAll('-', ''), 'hex');
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(columns.occurredAt));
  const values: (Buffer | null)[] = [
    uuid(columns.eventId),
    time,
    Buffer.from(columns.type),
    Buffer.from(columns.outcome),
    columns.reason === null ? null : Buffer.from(columns.reason),
    Buffer.from(columns.actorKind),
    columns.actor === null ? null : uuid(columns.actor),
    columns.actorVia === null ? null : Buffer.from(columns.actorVia),
    columns.sessionId === null ? null : uuid(columns.sessionId),
    columns.tenantId === null ? null : uuid(columns.tenantId),
    uuid(columns.requestId),
    columns.addressCommitment === null ? null : Buffer.from(columns.addressCommitment),
    columns.objectType === null ? null : Buffer.from(columns.objectType),
    columns.objectId === null ? null : Buffer.from(columns.objectId),
    Buffer.concat(columns.subjects.map(uuid)),
    Buffer.from(columns.details),
  ];
  const fields = values.map((value, index) => {
    if (value === null) return Buffer.alloc(0);
    const head = Buffer.alloc(3);
    head.writeUInt8(index + 1);
    head.writeUInt16BE(value.length, 1);
    return Buffer.concat([head, value]);
  });
  return Buffer.concat([Buffer.from('SRA\x01', 'latin1'), ...fields]);
}

const NULLABLE = [
  'reason',
  'actor',
  'actorVia',
  'sessionId',
  'tenantId',
  'addressCommitment',
  'objectType',
  'objectId',
] as const;

describe('entry bytes', () => {
  it('are those of the documented format', () => {
    expect(toHex(encodeEntry(event))).toBe(expectedBytes(event).toString('hex'));
    const sparse = { ...event, ...Object.fromEntries(NULLABLE.map((name) => [name, null])), subjects: [] };
    expect(toHex(encodeEntry(sparse))).toBe(expectedBytes(sparse).toString('hex'));
    const before1970 = { ...event, occurredAt: -1 };
    expect(toHex(encodeEntry(before1970))).toBe(expectedBytes(before1970).toString('hex'));
  });

  it('hash to the leaf of RFC 9162', () => {
    const expected = createHash('sha256')
      .update(Buffer.from([0]))
      .update(expectedBytes(event))
      .digest();
    expect(Buffer.from(eventLeaf(event)).equals(expected)).toBe(true);
  });

  it('differ for every change of every column, and between NULL and empty', () => {
    const changes: Partial<EventColumns>[] = [
      { eventId: id('11') },
      { occurredAt: event.occurredAt + 1 },
      { type: 'memory.creates' },
      { outcome: 'failure' },
      { reason: 'pipeline.forbiddem' },
      { actorKind: 'system' },
      { actor: id('12') },
      { actorVia: 'y' },
      { sessionId: id('13') },
      { tenantId: id('14') },
      { requestId: id('15') },
      { addressCommitment: new Uint8Array(32).fill(6).with(31, 7) },
      { objectType: 'memorx' },
      { objectId: 'größes' },
      { subjects: [id('08'), id('07')] },
      { subjects: [id('07')] },
      { details: '{"version":4}' },
      // The same bytes distributed otherwise must not look the same.
      { type: 'memory.create', outcome: 'ddenied' },
      { reason: '' },
      { actorVia: '\uFEFFx' },
      ...NULLABLE.map((name) => ({ [name]: null })),
    ];
    expect(new Set(changes.flatMap((change) => Object.keys(change)))).toEqual(new Set(Object.keys(event)));
    const leaves = changes.map((change) => toHex(eventLeaf({ ...event, ...change })));
    expect(new Set([...leaves, toHex(eventLeaf(event))]).size).toBe(changes.length + 1);
  });

  it('refuse what is no value of the column', () => {
    const refused = (change: Partial<EventColumns>) => expect(() => encodeEntry({ ...event, ...change }));
    const invalid = expect.objectContaining({ code: 'audit-log.invalid-entry' });
    refused({ eventId: id('0g') }).toThrow(invalid);
    refused({ eventId: id('AB') }).toThrow(invalid);
    refused({ eventId: id('0') }).toThrow(invalid);
    refused({ eventId: id('01').replaceAll('-', 'a') }).toThrow(invalid);
    refused({ eventId: id('0é') }).toThrow(invalid);
    refused({ occurredAt: Number.NaN }).toThrow(invalid);
    const tooLarge = expect.objectContaining({ code: 'audit-log.event-too-large' });
    refused({ details: 'x'.repeat(65_536) }).toThrow(tooLarge);
    refused({ details: '記'.repeat(22_000) }).toThrow(tooLarge);
    refused({ subjects: Array<string>(4_100).fill(id('07')) }).toThrow(tooLarge);
    expect(encodeEntry({ ...event, details: 'x'.repeat(65_000) }).length).toBeLessThan(65_536);
    // Nothing of a refused entry is left behind for the next one.
    expect(toHex(encodeEntry(event))).toBe(expectedBytes(event).toString('hex'));
  });
});

describe('details', () => {
  it('have the canonical form of RFC 8785', () => {
    const details = {
      '\u20ac': 'Euro',
      '\r': 1,
      '\ufb33': null,
      '1': true,
      '\u{1f600}': 1e21,
      '\u00f6': 0.1 + 0.2,
      b: -0,
    };
    expect(canonicalDetails(details)).toBe(
      '{"\\r":1,"1":true,"b":0,"ö":0.30000000000000004,"€":"Euro","😀":1e+21,"\ufb33":null}',
    );
    expect(canonicalDetails({})).toBe('{}');
  });

  it('refuse what JSON cannot say', () => {
    expect(() => canonicalDetails({ a: Number.NaN })).toThrow();
    expect(() => canonicalDetails({ a: '\ud800' })).toThrow();
    expect(() => canonicalDetails({ '\udc00': 1 })).toThrow();
  });
});

describe('commitments', () => {
  const opening = { salt: new Uint8Array(32).fill(1), value: '203.0.113.0/24' };

  it('open with the salt and value they were made from, and nothing else', () => {
    const commitment = commitmentTo(opening);
    expect(opens(commitment, opening)).toBe(true);
    expect(opens(commitment, { ...opening, value: '203.0.114.0/24' })).toBe(false);
    expect(opens(commitment, { ...opening, salt: opening.salt.with(0, 2) })).toBe(false);
  });

  it('cannot be opened by moving the border between salt and value', () => {
    const shorter = { salt: new Uint8Array(31).fill(1), value: `\u0001${opening.value}` };
    expect(commitmentTo(shorter)).toEqual(commitmentTo(opening));
    expect(opens(commitmentTo(opening), shorter)).toBe(false);
  });
});

describe('SHA-256', () => {
  it('is the same on Node and elsewhere', () => {
    for (let length = 0; length < 200; length += 1) {
      const data = new Uint8Array(length).fill(length);
      const expected = new Uint8Array(createHash('sha256').update(data).digest());
      expect(sha256OnNode(data)).toEqual(expected);
      expect(sha256Anywhere(data)).toEqual(expected);
    }
  });
});
