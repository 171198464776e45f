/**
 * What a device keeps so that a vault opens before the server answers, or when it does not: the account's sealed record, which the password opens
 * and which the server has too, and under the account key the rest.
 *
 *   wrapBytes(account key, "device-profile", account; pad(JSON of {account without its record, spaces}))
 */
import { fromUtf8, utf8, type Uuid } from '@strongroom/kernel';
import {
  pad,
  parseAccountRecord,
  SealingError,
  unpad,
  unwrapBytes,
  wrapBytes,
  type AccountKeys,
  type AccountRecord,
} from '@strongroom/sealing';
import { ClientError } from '../errors.ts';
import { readAccount, readSpace, type RemoteAccount, type RemoteSpace } from './answers.ts';
import { fields, list } from './expect.ts';
import type { DeviceCache } from './space-copy.ts';

interface Profile {
  readonly account: RemoteAccount;
  readonly spaces: readonly RemoteSpace[];
}

const contextOf = (account: Uuid) => ['device-profile', account] as const;

/** Null where nothing is kept. */
export async function keptRecord(cache: DeviceCache): Promise<AccountRecord | null> {
  const kept = 'kind' in cache ? await cache.readProfile() : null;
  return kept === null ? null : nullIfUnusable(async () => parseAccountRecord(JSON.parse(kept.record)));
}

/** Null where nothing is kept, or what is kept does not open. */
export async function keptProfile(cache: DeviceCache, keys: AccountKeys): Promise<Profile | null> {
  const kept = 'kind' in cache ? await cache.readProfile() : null;
  if (kept === null) return null;
  return nullIfUnusable(async () => {
    const text = fromUtf8(unpad(await unwrapBytes(keys.wrappingKey, contextOf(keys.account), kept.sealed)));
    const from = fields(JSON.parse(text));
    const account = readAccount({ ...fields(from['account']), record: JSON.parse(kept.record) });
    return { account, spaces: list(from, 'spaces', readSpace) };
  });
}

/** What others shared and is not wrapped under the own key yet is left out: to take it over needs the server. */
export async function keepProfile(cache: DeviceCache, keys: AccountKeys, { account, spaces }: Profile): Promise<void> {
  if (!('kind' in cache)) return;
  const { record, ...names } = account;
  const own = spaces.map((space) => ({ ...space, keys: space.keys.filter(({ sharedBy }) => sharedBy === null) }));
  const content = pad(utf8(JSON.stringify({ account: names, spaces: own })));
  const sealed = await wrapBytes(keys.wrappingKey, contextOf(keys.account), content);
  await cache.writeProfile({ record: JSON.stringify(record), sealed });
}

/** Damaged, of another account, or in the form of another version: as if it were not there. */
async function nullIfUnusable<Value>(read: () => Promise<Value>): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SealingError || error instanceof ClientError || error instanceof SyntaxError) return null;
    throw error;
  }
}
