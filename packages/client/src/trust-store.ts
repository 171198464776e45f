/**
 * What a device remembers of people and spaces, so that a server cannot tell it something else later: which key is whose, and how far
 * the key of each space had come. Nothing in it is secret, but whoever can write to it can make the device believe. One store belongs to one account.
 */
import type { Uuid } from '@strongroom/kernel';

export interface KnownKey {
  /** Algorithm byte and public key, base64url without padding. */
  readonly publicKey: string;
  /** True when the person was asked; false when the key was taken as the server showed it. */
  readonly compared: boolean;
  /** RFC 3339 UTC. */
  readonly since: string;
}

export interface TrustStore {
  /** Null for somebody this device does not know. */
  key(account: Uuid): Promise<KnownKey | null>;
  putKey(account: Uuid, key: KnownKey): Promise<void>;
  /** The highest epoch whose key this device has opened; 0 for none. */
  epoch(space: Uuid): Promise<number>;
  putEpoch(space: Uuid, epoch: number): Promise<void>;
}

/** Remembers as long as the program runs. */
export class InMemoryTrustStore implements TrustStore {
  readonly #keys = new Map<Uuid, KnownKey>();
  readonly #epochs = new Map<Uuid, number>();

  async key(account: Uuid): Promise<KnownKey | null> {
    return this.#keys.get(account) ?? null;
  }

  async putKey(account: Uuid, key: KnownKey): Promise<void> {
    this.#keys.set(account, key);
  }

  async epoch(space: Uuid): Promise<number> {
    return this.#epochs.get(space) ?? 0;
  }

  async putEpoch(space: Uuid, epoch: number): Promise<void> {
    this.#epochs.set(space, epoch);
  }
}
