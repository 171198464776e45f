/** Which kind of copy a cache makes. */
import type { Uuid } from '@strongroom/kernel';
import type { AccountKeys } from '@strongroom/sealing';
import { BlockCopy } from './block-copy.ts';
import { ItemCopy } from './item-copy.ts';
import type { DeviceCache, SpaceCopy } from './space-copy.ts';

export function copyOf(cache: DeviceCache, space: Uuid, keys: AccountKeys): SpaceCopy {
  return 'kind' in cache ? new BlockCopy(cache, space, keys) : new ItemCopy(cache, space);
}
