/** The last checkpoint this computer verified, for each log: what reveals that a log was cut or replaced since. */
import { createHash } from 'node:crypto';
import type { StateFolder } from './state.ts';

export interface Remembered {
  readonly size: number;
  /** Base64url. */
  readonly root: string;
  /** C2SP verifier keys; trusted at first use. */
  readonly keys: readonly string[];
}

/** Named by a hash, since a place is an address or a path. */
const segments = (place: string): readonly string[] => [
  'checkpoints',
  `${createHash('sha256').update(place).digest('hex').slice(0, 32)}.json`,
];

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const { size, root, keys } = value as Partial<Record<keyof Remembered, unknown>>;
  return (
    Number.isSafeInteger(size) &&
    typeof root === 'string' &&
    Array.isArray(keys) &&
    keys.every((key) => typeof key === 'string')
  );
}

export const readRemembered = (state: StateFolder, place: string): Promise<Remembered | undefined> =>
  state.readJson(isRemembered, ...segments(place));

export const remember = (state: StateFolder, place: string, { size, root, keys }: Remembered): Promise<void> =>
  state.write(`${JSON.stringify({ place, size, root, keys }, null, 2)}\n`, ...segments(place));
