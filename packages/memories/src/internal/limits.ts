/** How often the room's routes may be called by one account. Imports and first synchronisations are meant to be fast. */
import type { LimitPolicy } from '@strongroom/pipeline';

const perSecond = (name: string, burst: number, rate: number): LimitPolicy => ({
  name,
  by: 'account',
  burst,
  rate,
  periodSeconds: 1,
  store: 'process',
});

export const readLimit = perSecond('memories.read', 400, 200);
export const pageLimit = perSecond('memories.page', 200, 50);
export const writeLimit = perSecond('memories.write', 2000, 1000);
export const batchLimit = perSecond('memories.batch', 100, 20);
/** A person has a handful of spaces; each costs a key that lasts. */
export const newSpaceLimit: LimitPolicy = {
  name: 'memories.new-space',
  by: 'account',
  burst: 20,
  rate: 20,
  periodSeconds: 3600,
  store: 'process',
};

/** Sharing and changing keys are rare, and each changes what many can read. */
export const sharingLimit: LimitPolicy = {
  name: 'memories.sharing',
  by: 'account',
  burst: 60,
  rate: 120,
  periodSeconds: 3600,
  store: 'process',
};
