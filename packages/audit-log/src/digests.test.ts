/** What a change replaced and left: checked by whoever still has it, guessed by nobody once the person is forgotten. */
import { createHash } from 'node:crypto';
import { asSystem } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalDetails, digestCommitment, type EventColumns, type Opening, showsDigest } from './entry.ts';
import { alice, auditEvent, type House, openHouse } from './log.test-support.ts';
import { verifyLog } from './verify-log.ts';

const digestOf = (state: string): Uint8Array => new Uint8Array(createHash('sha256').update(state).digest());
const before = digestOf('ines@example.org');
const after = digestOf('ines@example.net');

const [engine] = databases();

describe('digests of a change', () => {
  let house: House;
  const entryAt = async (index: number) => {
    const [entry] = await house.auditLog.source().entries(index, index + 1);
    return entry as { readonly event: EventColumns; readonly addressPrefix: Opening | null };
  };
  const judge = async () => verifyLog(house.auditLog.source(), { keys: await house.auditLog.verifierKeys() });

  beforeAll(async () => {
    house = await openHouse(engine!);
    const operator = auditEvent().context;
    await house.append(
      auditEvent({ digests: { before, after } }),
      auditEvent({
        subjects: [],
        digests: { after },
        context: { ...operator, actor: { kind: 'operator', via: 'command-line' }, addressPrefix: null },
      }),
      auditEvent(),
    );
    await house.auditLog.sequence();
  });
  afterAll(() => house.close());

  it('are shown by the entry to whoever has the state, each for its own side', async () => {
    const entry = await entryAt(0);
    expect([showsDigest(entry, 'before', before), showsDigest(entry, 'after', after)]).toEqual([true, true]);
    expect([showsDigest(entry, 'before', after), showsDigest(entry, 'after', before)]).toEqual([false, false]);
    const open = JSON.parse(entry.event.details) as Record<string, string>;
    expect(Object.keys(open)).toEqual(['afterDigest', 'beforeDigest', 'version']);
    expect(entry.addressPrefix!.value).toBe('203.0.113.0/24');
    // Exchanged, or of another event, they show nothing.
    const exchanged = canonicalDetails({
      ...open,
      afterDigest: open['beforeDigest']!,
      beforeDigest: open['afterDigest']!,
    });
    expect(showsDigest({ ...entry, event: { ...entry.event, details: exchanged } }, 'after', before)).toBe(false);
    expect(showsDigest({ ...entry, addressPrefix: (await entryAt(1)).addressPrefix }, 'after', after)).toBe(false);
  });

  it('need no address: then the salt is there for them alone', async () => {
    const entry = await entryAt(1);
    expect(entry.addressPrefix!.value).toBe('');
    expect([showsDigest(entry, 'after', after), showsDigest(entry, 'before', before)]).toEqual([true, false]);
    expect(showsDigest(await entryAt(2), 'after', after)).toBe(false);
    expect(await judge()).toMatchObject({ ok: true, size: 3 });
  });

  it('say nothing any more once the person is forgotten', async () => {
    const { event } = await entryAt(0);
    await house.database.transaction(asSystem, (transaction) => house.auditLog.redactSubject(transaction, alice));
    await house.auditLog.sequence();
    const entry = await entryAt(0);
    expect(entry.event).toEqual(event);
    expect(entry.addressPrefix).toBeNull();
    expect(showsDigest(entry, 'after', after)).toBe(false);
    // Who knows the state still lacks the salt: without one, or with any that is left, the commitment is another.
    const shown = (JSON.parse(event.details) as { readonly afterDigest: string }).afterDigest;
    const left = (await entryAt(1)).addressPrefix!.salt;
    for (const salt of [new Uint8Array(0), left]) expect(digestCommitment(salt, 'after', after)).not.toBe(shown);
    expect(await judge()).toMatchObject({ ok: true, redactedEntries: 2 });
  });
});
