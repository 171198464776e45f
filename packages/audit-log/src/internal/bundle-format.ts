/** What those who write bundles and those who read them have in common. */
import type { EventColumns, Opening } from '../entry.ts';

export const BUNDLE_FORMAT = 'strongroom-audit-bundle';
export const BUNDLE_VERSION = 1;

/** Whether what the entry commits to cannot be shown any more. */
export const isOpeningGone = ({ addressCommitment }: EventColumns, opening: Opening | null): boolean =>
  addressCommitment !== null && opening === null;
