/** What the contract of a block cache says, in memory: for tests that need no browser. */
import type { Uuid } from '@strongroom/kernel';
import type { BlockCache, BlockChange, BlockOutcome, KeptIndex, KeptProfile, KeptSpace } from './block-cache.ts';

interface Stored {
  stamp: string;
  sequence: number;
  head: KeptSpace['head'];
  index: KeptIndex | null;
  readonly blocks: Map<number, KeptSpace['blocks'][number]>;
}

export class MapBlockCache implements BlockCache {
  readonly kind = 'blocks';
  readonly spaces = new Map<Uuid, Stored>();
  profile: KeptProfile | null = null;
  written = 0;

  async read(space: Uuid): Promise<KeptSpace> {
    const stored = this.spaces.get(space) ?? {
      stamp: crypto.randomUUID(),
      sequence: 0,
      head: null,
      index: null,
      blocks: new Map(),
    };
    this.spaces.set(space, stored);
    return { ...stored, blocks: [...stored.blocks.values()] };
  }

  async write(space: Uuid, change: BlockChange): Promise<BlockOutcome> {
    const stored = this.spaces.get(space);
    if (stored === undefined) return 'gone';
    const { expects, stamp, sequence, head, put, remove } = change;
    if (expects === null ? stored.sequence > sequence : stored.stamp !== expects) return 'overtaken';
    if (expects === null) stored.blocks.clear();
    for (const end of remove) stored.blocks.delete(end);
    for (const block of put) stored.blocks.set(block.end, block);
    this.written += put.length;
    Object.assign(stored, { stamp, sequence, head });
    return 'written';
  }

  async writeIndex(space: Uuid, index: KeptIndex | null): Promise<void> {
    const stored = this.spaces.get(space);
    if (stored !== undefined) stored.index = index;
  }

  async remove(space: Uuid): Promise<void> {
    this.spaces.delete(space);
  }

  async readProfile(): Promise<KeptProfile | null> {
    return this.profile;
  }

  async writeProfile(profile: KeptProfile): Promise<void> {
    this.profile = profile;
  }
}
