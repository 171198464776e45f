/** A log that grows while it is verified: the verification goes on from where it is, finds the same as one that began later, and ends. */
import { randomUUID } from 'node:crypto';
import { figure } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { commitmentTo, eventLeaf, type EventColumns, REDACTION } from './entry.ts';
import type { LogSource } from './log-source.ts';
import { newCosigner } from './log.test-support.ts';
import { memoryLog, memorySource, plainEvents, type Stored } from './memory-log.test-support.ts';
import { TILE_WIDTH } from './tiles.ts';
import { verifyLog, type Verdict } from './verify-log.ts';

const person = randomUUID();
const signer = newCosigner('log.example', 'ed25519');
const keys = [signer.vkey];

/** The first of them has lost its address prefix, for which the last one accounts. */
function eventsOf(count: number): EventColumns[] {
  const opening = { salt: new Uint8Array(32), value: '203.0.113.0/24' };
  const lost = { actorKind: 'account', actor: person, addressCommitment: commitmentTo(opening) };
  const redaction = { type: REDACTION, actorKind: 'system', actorVia: 'audit-log.redaction', subjects: [person] };
  return plainEvents(count).map((event, index) =>
    index === 0 ? { ...event, ...lost } : index === count - 1 ? { ...event, ...redaction } : event,
  );
}

const logOf = (events: readonly EventColumns[], sizes: readonly number[]): Stored =>
  memoryLog(events, { origin: 'log.example', signers: [signer], leafOf: eventLeaf, sizes });

/** Shows one checkpoint after the other, and the last one from then on; as a server does, no former ones. */
function growing(stored: Stored, sizes: readonly number[], source = memorySource(stored)): LogSource {
  const notes = [...sizes, stored.leaves.length].map(
    (wanted) => stored.checkpoints.find(({ size }) => size === wanted)!.note,
  );
  return {
    ...source,
    checkpoints: async () => [],
    newestCheckpoint: async () => ({ note: notes.length > 1 ? notes.shift()! : notes[0]! }),
  };
}

const SIZE = 3 * TILE_WIDTH + 17;
/** Within a tile, at its borders, and further on than one page is. */
const SIZES = [1, 2, 255, 256, 257, 300, 512, 600, SIZE - 1];

describe('a verification that goes on', () => {
  const stored = logOf(eventsOf(SIZE), SIZES);
  const direct = (source = memorySource(stored)): Promise<Verdict> => verifyLog(growing(stored, [], source), { keys });

  it('finds what one finds that began later, wherever it was', async () => {
    const expected = await direct();
    expect(expected).toMatchObject({ ok: true, size: SIZE, verifiedEntries: SIZE, redactedEntries: 1 });
    for (const size of SIZES) {
      expect(await verifyLog(growing(stored, [size]), { keys }), `from ${size}`).toEqual(expected);
    }
    figure(`${SIZES.length} places to go on from: the same verdict as from the start`);
  });

  it('does not look away: what was changed is named, before that place and behind it', async () => {
    for (const index of [SIZE - 2, 258, 3]) {
      const events = stored.events.with(index, { ...stored.events[index]!, outcome: 'denied' });
      const source = memorySource({ ...stored, events });
      const expected = await direct(source);
      expect(expected.findings).toEqual([{ where: `event ${index}`, what: expect.stringContaining('columns') }]);
      for (const size of SIZES) {
        expect(await verifyLog(growing(stored, [size], source), { keys }), `${index} from ${size}`).toEqual(expected);
      }
    }
  });

  it('compares a tile that was part of another one when it was read first', async () => {
    const tile = stored.tiles.get('0/0')!;
    const swapped = new Uint8Array([...tile.hashes.subarray(32, 64), ...tile.hashes.subarray(0, 32)]);
    const hashes = new Uint8Array([...swapped, ...tile.hashes.subarray(64)]);
    const source = memorySource({ ...stored, tiles: new Map([...stored.tiles, ['0/0', { ...tile, hashes }]]) });
    for (const size of [0, 1, 2, 255, 256]) {
      const { findings } = await verifyLog(growing(stored, size === 0 ? [] : [size], source), { keys });
      expect(findings).toContainEqual({ where: 'tile 0/0', what: expect.stringContaining('hashes') });
    }
  });

  it('is no way around what is remembered: a log that was cut is still one', async () => {
    const { root } = await direct();
    const remembered = { size: SIZE, root };
    expect(await verifyLog(growing(stored, [300]), { keys, remembered })).toMatchObject({ ok: true, size: SIZE });
    const other = { size: SIZE, root: new Uint8Array(32) };
    expect(await verifyLog(growing(stored, [300]), { keys, remembered: other })).toMatchObject({
      standing: 'DIVERGED',
    });
    const larger = { size: SIZE + 1, root };
    expect(await verifyLog(growing(stored, [300]), { keys, remembered: larger })).toMatchObject({
      standing: 'DIVERGED',
    });
  });

  it('believes no entries that the newer checkpoint does not cover', async () => {
    const forged = eventsOf(SIZE).with(SIZE - 1, { ...stored.events.at(-1)!, eventId: randomUUID() });
    const source = memorySource({ ...stored, events: forged, leaves: forged.map(eventLeaf) });
    const verdict = await verifyLog(growing(stored, [300], source), { keys });
    expect(verdict).toMatchObject({ ok: false, standing: 'INVALID' });
  });

  it('leaves a finding as it is for which nothing accounts, however often the log grows', async () => {
    const sizes = Array.from({ length: 50 }, (_, place) => place + 10);
    const events = eventsOf(SIZE);
    const asked: number[] = [];
    const shown = async (changed: readonly EventColumns[]): Promise<Verdict> => {
      asked.length = 0;
      const endless = logOf(changed, sizes);
      const source = { ...growing(endless, sizes), settled: async () => void asked.push(1) };
      return verifyLog(source, { keys });
    };
    const lost = await shown(events.with(SIZE - 1, plainEvents(1)[0]!));
    expect(lost.findings).toEqual([{ where: 'event 0, column address_prefix', what: 'the logged value is missing' }]);
    expect(asked).toHaveLength(1);
    // Whoever loses something new each time is not followed for ever either.
    const more = events.map((event) => ({ ...event, actor: randomUUID(), addressCommitment: new Uint8Array(32) }));
    expect(await shown(more)).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(asked).toHaveLength(3);
  });
});
