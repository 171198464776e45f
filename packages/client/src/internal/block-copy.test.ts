import { newUuid, utf8, type Uuid } from '@strongroom/kernel';
import { createAccount, type AccountKeys } from '@strongroom/sealing';
import { rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MapBlockCache } from '../block-cache.test-support.ts';
import { SearchIndex } from '../search-index.ts';
import { BlockCopy } from './block-copy.ts';
import type { KnownMemory, LoadedCopy } from './space-copy.ts';

const space = newUuid();
const author = newUuid();
let keys: AccountKeys;
let others: AccountKeys;

beforeAll(async () => {
  const account = async () => (await createAccount({ account: newUuid(), password: 'a long enough pass phrase' })).keys;
  [keys, others] = await Promise.all([account(), account()]);
});

const memory = (id: Uuid, sequence: number, text: string | null): KnownMemory => ({
  id,
  version: sequence,
  epoch: 1,
  token: null,
  author: text === null ? null : author,
  sequence,
  changedAt: '2026-11-22T00:00:00.000Z',
  ...(text === null ? {} : { document: { text, tags: [], createdAt: '2026-11-22T00:00:00.000Z' } }),
});

async function all({ memories }: LoadedCopy): Promise<Map<Uuid, KnownMemory>> {
  const found = new Map<Uuid, KnownMemory>();
  for await (const some of memories) for (const one of some) found.set(one.id, one);
  return found;
}

const open = async (cache: MapBlockCache, by: AccountKeys = keys) => {
  const copy = new BlockCopy(cache, space, by);
  const loaded = await copy.load();
  return { copy, position: loaded.position, index: loaded.index, memories: await all(loaded) };
};

const many = (count: number, from = 1): KnownMemory[] =>
  Array.from({ length: count }, (_, index) => memory(newUuid(), from + index, `memory number ${from + index}`));

describe('a space in sealed blocks', () => {
  it('comes back whole in few blocks, in which nothing can be read', async () => {
    const cache = new MapBlockCache();
    const { copy } = await open(cache);
    const written = many(1200);
    await copy.save(written.slice(0, 700), 700);
    await copy.save(written.slice(700), 1200);
    const again = await open(cache);
    expect(again.position).toBe(1200);
    expect([...again.memories.values()]).toEqual(written);
    const { blocks, head } = cache.spaces.get(space)!;
    expect(blocks.size).toBe(3);
    const bytes = Buffer.concat([head!, ...[...blocks.values()].map((block) => block.bytes)]);
    expect(bytes.length).toBeGreaterThan(100_000);
    expect(bytes.includes(Buffer.from(utf8('memory number 7')))).toBe(false);
    expect(bytes.includes(Buffer.from(utf8(written[0]!.id)))).toBe(false);
  });

  it('writes only the blocks that a change concerns, and leaves nothing of the former text', async () => {
    const cache = new MapBlockCache();
    const { copy } = await open(cache);
    const written = many(2600);
    await copy.save(written, 2600);
    cache.written = 0;
    await copy.save([memory(written[3]!.id, 2601, 'changed'), memory(written[4]!.id, 2602, null)], 2602);
    expect(cache.written).toBe(2);
    const { memories, position } = await open(cache);
    expect(position).toBe(2602);
    expect(memories.get(written[3]!.id)!.document!.text).toBe('changed');
    expect(memories.get(written[4]!.id)).not.toHaveProperty('document');
    expect(memories.size).toBe(2600);
  });

  it('holds the same as a plain map after any changes, whichever of two programs wrote them', async () => {
    const ids = Array.from({ length: 6 }, () => newUuid());
    const change = fc.record({
      writer: fc.constantFrom(0, 1),
      ids: fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }),
      deleted: fc.boolean(),
      text: fc.string({ minLength: 1, maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const cache = new MapBlockCache();
        const copies = [new BlockCopy(cache, space, keys), new BlockCopy(cache, space, keys)];
        const followed = [0, 0];
        for (const copy of copies) await all(await copy.load());
        const feed = new Map<Uuid, KnownMemory>();
        let sequence = 0;
        for (const { writer, ids: concerned, deleted, text } of changes) {
          for (const id of concerned) {
            sequence += 1;
            feed.set(id, memory(id, sequence, deleted ? null : text));
          }
          // Each program sees what it has not seen of the feed, and keeps it.
          const news = [...feed.values()]
            .filter((one) => one.sequence > followed[writer]!)
            .toSorted((left, right) => left.sequence - right.sequence);
          await copies[writer]!.save(news, sequence);
          followed[writer] = sequence;
        }
        const again = await open(cache);
        expect(again.position).toBe(sequence);
        expect(again.memories).toEqual(feed);
      }),
      { numRuns: rounds(25, 60) },
    );
  });

  it('stops when somebody else dropped the space, and never goes back behind them', async () => {
    const cache = new MapBlockCache();
    const one = await open(cache);
    const other = await open(cache);
    const written = many(3);
    await one.copy.save(written, 3);
    await other.copy.save(written.slice(0, 1), 1);
    expect((await open(cache)).position).toBe(3);
    cache.spaces.clear();
    await one.copy.save(many(1, 4), 4);
    expect(cache.spaces.size).toBe(0);
  });

  it.each<[string, (cache: MapBlockCache) => void]>([
    ['a block is missing', (cache) => cache.spaces.get(space)!.blocks.delete(500)],
    [
      'a block stands in the place of another',
      (cache) => {
        const { blocks } = cache.spaces.get(space)!;
        blocks.set(500, { ...blocks.get(1000)!, end: 500 });
      },
    ],
    [
      'a bit of a block is wrong',
      (cache) => {
        cache.spaces.get(space)!.blocks.get(500)!.bytes[100]! ^= 1;
      },
    ],
    [
      'a bit of the head is wrong',
      (cache) => {
        cache.spaces.get(space)!.head![100]! ^= 1;
      },
    ],
  ])('is empty when %s, and whole again after the feed was followed', async (_name, damage) => {
    const cache = new MapBlockCache();
    const written = many(1000);
    await (await open(cache)).copy.save(written, 1000);
    expect((await open(cache)).memories.size).toBe(1000);
    damage(cache);
    const { copy, memories, position } = await open(cache);
    expect([memories.size, position]).toEqual([0, 0]);
    await copy.save(written.slice(0, 400), 400);
    await copy.save(written.slice(400), 1000);
    expect((await open(cache)).memories.size).toBe(1000);
  });

  it('does not open for another account', async () => {
    const cache = new MapBlockCache();
    await (await open(cache)).copy.save(many(10), 10);
    expect((await open(cache, others)).memories.size).toBe(0);
  });

  it('keeps the index of many memories, and drops the words of a deleted one', async () => {
    const cache = new MapBlockCache();
    const { copy } = await open(cache);
    const written = many(300);
    const index = new SearchIndex();
    for (const { id, document } of written) index.put(id, document!);
    await copy.save(written, 300);
    await copy.saveIndex(index, 300);
    const kept = cache.spaces.get(space)!.index!;
    expect(Buffer.from(kept.bytes).includes('memory')).toBe(false);
    const again = await open(cache);
    expect(again.index!.index.search('number 77', 1)[0]!.id).toBe(written[76]!.id);
    // A single change is indexed at the next visit; a deletion is not put off.
    await again.copy.save([memory(written[0]!.id, 301, 'other')], 301);
    await again.copy.saveIndex(again.index!.index, 301);
    expect(cache.spaces.get(space)!.index).toBe(kept);
    again.index!.index.remove(written[76]!.id);
    await again.copy.save([memory(written[76]!.id, 302, null)], 302);
    await again.copy.saveIndex(again.index!.index, 302);
    const last = await open(cache);
    expect(last.index!.sequence).toBe(302);
    expect(last.index!.index.search('77', 1)).toEqual([]);
    cache.spaces.get(space)!.index = { ...kept, sequence: 299 };
    expect((await open(cache)).index).toBeNull();
  });
});
