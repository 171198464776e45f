/** What rotation does with one value, wherever it does it. */
import { setImmediate as pause } from 'node:timers/promises';
import type { Uuid } from '@strongroom/kernel';
import type { Algorithm } from '../../algorithms.ts';
import { EncryptionError } from '../../errors.ts';
import type { SubjectKeys } from '../../sealer.ts';
import { readHeader } from '../field-format.ts';
import { readShared } from '../shared-value.ts';

/** About a millisecond's: whoever else this process serves, and the database's answers to the batch before, wait no longer than that. */
const VALUES_WITHOUT_PAUSE = 32;

/** Where one value lies, and about whom it is. */
export interface ValuePlace {
  readonly column: string;
  /** What it is written with; left out: what it has already. */
  readonly algorithm: Algorithm | undefined;
  readonly tenant: Uuid | null;
  readonly row: string;
  /** Those who have keys; empty when it is about nobody. */
  readonly people: readonly Uuid[];
  /** One of several people's, sealed with `sealShared`. */
  readonly isShared: boolean;
}

/** Values of one table. Plain data, which can be sent to another thread. */
export interface Renewal {
  readonly table: string;
  /** Values are under this version at least afterwards. */
  readonly keyVersion: number;
  readonly places: readonly ValuePlace[];
  /** In the order of `places`. */
  readonly values: readonly Uint8Array[];
}

/** The value sealed anew, or what is to be said of the one that is there. */
export type Renewed = Uint8Array | 'authenticated' | 'damaged';

/** In the order of the values. The keys are good until it resolves. */
export type Renewer = (keys: SubjectKeys, renewal: Renewal) => Promise<readonly Renewed[]>;

/** In this thread, with pauses. */
export const renewHere: Renewer = async (keys, renewal) => {
  const renewed: Renewed[] = [];
  for (const [index, value] of renewal.values.entries()) {
    if (index % VALUES_WITHOUT_PAUSE === 0) await pause();
    renewed.push(renewOne(keys, renewal, renewal.places[index]!, value));
  }
  return renewed;
};

export function renewOne(
  keys: SubjectKeys,
  { table, keyVersion }: Pick<Renewal, 'table' | 'keyVersion'>,
  { column, algorithm, tenant, row, people, isShared }: ValuePlace,
  value: Uint8Array,
): Renewed {
  const place = { tenant, table, column, row };
  let plaintext: Uint8Array | undefined;
  try {
    const header = isShared ? readShared(value).header : readHeader(value);
    const wanted = algorithm ?? header.algorithm;
    const isPresent = header.keyVersion >= keyVersion && header.algorithm === wanted;
    if (isShared) {
      plaintext = keys.openShared(people, place, value);
      return isPresent ? 'authenticated' : keys.sealShared(people, place, plaintext, wanted);
    }
    const at = { ...place, subject: people[0] ?? null };
    plaintext = keys.open(at, value);
    return isPresent ? 'authenticated' : keys.seal(at, plaintext, wanted);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    return 'damaged';
  } finally {
    plaintext?.fill(0);
  }
}
