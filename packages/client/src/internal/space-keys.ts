/** The keys of one space on an unlocked device: opened, received from others, and never taken from somebody this device does not know. */
import { fromBase64Url, toBase64Url, type Uuid } from '@strongroom/kernel';
import {
  fingerprintOf,
  openSharedSpaceKey,
  openSpaceKey,
  openSpaceName,
  SealingError,
  type AccountKeys,
  type SpaceKey,
} from '@strongroom/sealing';
import type { Api } from '../api.ts';
import { ClientError } from '../errors.ts';
import type { TrustStore } from '../trust-store.ts';
import type { RemoteSender, RemoteSpace } from './answers.ts';

/** Somebody shared a key whose own key this device does not know, or knows as another one. */
export interface PendingKey {
  readonly account: Uuid;
  readonly displayName: string | null;
  /** As the server shows it now. Null when it shows none. */
  readonly publicKey: string | null;
  readonly fingerprint: string | null;
  readonly reason: 'unknown' | 'changed';
}

export class SpaceKeys {
  readonly #api: () => Api;
  readonly #trust: TrustStore;
  readonly #keys = new Map<number, SpaceKey>();
  /** Under the own account key, for sharing them further. */
  readonly #wrappings = new Map<number, string>();
  name: string | null = null;
  pending: PendingKey | null = null;

  constructor(api: () => Api, trust: TrustStore) {
    this.#api = api;
    this.#trust = trust;
  }

  get epochs(): readonly number[] {
    return [...this.#wrappings.keys()].toSorted((left, right) => left - right);
  }

  get(epoch: number): SpaceKey | undefined {
    return this.#keys.get(epoch);
  }

  wrapping(epoch: number): string {
    const wrapping = this.#wrappings.get(epoch);
    if (wrapping === undefined)
      throw new ClientError('client.cannot-open', { detail: 'A key of its space is missing.' });
    return wrapping;
  }

  /** Opens what is new. True when something was. Throws `client.rolled-back` for an epoch below the highest this device has seen open. */
  async refresh(remote: RemoteSpace, keys: AccountKeys): Promise<boolean> {
    const highest = await this.#trust.epoch(remote.id);
    if (remote.epoch < highest) throw new ClientError('client.rolled-back');
    let more = false;
    this.pending = null;
    for (const offered of remote.keys) {
      const { epoch, wrappedKey, sharedBy } = offered;
      // An epoch that is yet to come would be remembered and then used when it does.
      if (this.#keys.has(epoch) || epoch > remote.epoch) continue;
      const opened =
        sharedBy === null
          ? await own(keys, remote.id, epoch, wrappedKey)
          : await this.#receive(remote, { epoch, wrappedKey, sharedBy }, keys);
      if (opened === null) continue;
      this.#keys.set(epoch, opened.spaceKey);
      this.#wrappings.set(epoch, opened.wrapping);
      more = true;
    }
    const current = this.#keys.get(remote.epoch);
    this.name = current === undefined ? null : await nullIfClosed(() => openSpaceName(current, remote.sealedName));
    // Only an epoch that opened: a server must not be able to make a device wait for one that never comes.
    if (this.name !== null && remote.epoch > highest) await this.#trust.putEpoch(remote.id, remote.epoch);
    return more;
  }

  async #receive(
    remote: RemoteSpace,
    { epoch, wrappedKey, sharedBy }: { epoch: number; wrappedKey: string; sharedBy: RemoteSender },
    keys: AccountKeys,
  ): Promise<{ readonly spaceKey: SpaceKey; readonly wrapping: string } | null> {
    const { account, publicKey: shown } = sharedBy;
    const known =
      account === keys.account ? { publicKey: toBase64Url(keys.publicKey) } : await this.#trust.key(account);
    if (known === null || (shown !== null && shown !== known.publicKey)) {
      this.pending = await pendingOf(sharedBy, known === null ? 'unknown' : 'changed');
      return null;
    }
    const sender = { account, publicKey: fromBase64Url(known.publicKey) };
    const opened = await nullIfClosed(() => openSharedSpaceKey(keys, remote.id, epoch, wrappedKey, sender));
    if (opened === null) return null;
    // The sealed name commits to the key, so everybody who reads the name has the same one: a share of another key is not taken over.
    if (
      epoch === remote.epoch &&
      (await nullIfClosed(() => openSpaceName(opened.spaceKey, remote.sealedName))) === null
    )
      return null;
    try {
      await this.#api().takeSpaceKey(remote.id, epoch, { wrappedKey: opened.wrapping });
    } catch (error) {
      // It stays as it was shared, and is taken over next time.
      if (!(error instanceof ClientError)) throw error;
    }
    return opened;
  }
}

async function pendingOf(sender: RemoteSender, reason: PendingKey['reason']): Promise<PendingKey> {
  return { ...sender, fingerprint: await fingerprintOrNull(sender.account, sender.publicKey), reason };
}

/** Null for what is no public key. */
export async function fingerprintOrNull(account: Uuid, publicKey: string | null): Promise<string | null> {
  if (publicKey === null) return null;
  try {
    return await fingerprintOf({ account, publicKey: fromBase64Url(publicKey) });
  } catch {
    return null;
  }
}

async function own(
  keys: AccountKeys,
  space: Uuid,
  epoch: number,
  wrapping: string,
): Promise<{ readonly spaceKey: SpaceKey; readonly wrapping: string } | null> {
  const spaceKey = await nullIfClosed(() => openSpaceKey(keys, space, epoch, wrapping));
  return spaceKey && { spaceKey, wrapping };
}

async function nullIfClosed<Opened>(open: () => Promise<Opened>): Promise<Opened | null> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof SealingError) return null;
    throw error;
  }
}
