/** What this computer remembers of people's keys and of the epochs of spaces, one file for each account. */
import { type KnownKey, type TrustStore } from '@strongroom/client';
import { type Uuid, isUuid } from '@strongroom/kernel';
import type { StateFolder } from './state.ts';

interface Remembered {
  readonly keys: Readonly<Record<string, KnownKey>>;
  readonly epochs: Readonly<Record<string, number>>;
}

const NOTHING: Remembered = { keys: {}, epochs: {} };

function isKnownKey(value: unknown): value is KnownKey {
  if (typeof value !== 'object' || value === null) return false;
  const { publicKey, compared, since } = value as Partial<Record<keyof KnownKey, unknown>>;
  return typeof publicKey === 'string' && typeof compared === 'boolean' && typeof since === 'string';
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isRemembered(value: unknown): value is Remembered {
  if (!isRecord(value)) return false;
  const { keys, epochs } = value;
  return (
    isRecord(keys) &&
    Object.entries(keys).every(([account, key]) => isUuid(account) && isKnownKey(key)) &&
    isRecord(epochs) &&
    Object.entries(epochs).every(([space, epoch]) => isUuid(space) && Number.isSafeInteger(epoch))
  );
}

export class FileTrust implements TrustStore {
  readonly #state: StateFolder;
  readonly #account: Uuid;

  constructor(state: StateFolder, account: Uuid) {
    this.#state = state;
    this.#account = account;
  }

  async key(account: Uuid): Promise<KnownKey | null> {
    return (await this.#read()).keys[account] ?? null;
  }

  async putKey(account: Uuid, key: KnownKey): Promise<void> {
    const { keys, epochs } = await this.#read();
    await this.#write({ keys: { ...keys, [account]: key }, epochs });
  }

  async epoch(space: Uuid): Promise<number> {
    return (await this.#read()).epochs[space] ?? 0;
  }

  async putEpoch(space: Uuid, epoch: number): Promise<void> {
    const { keys, epochs } = await this.#read();
    await this.#write({ keys, epochs: { ...epochs, [space]: epoch } });
  }

  /** Throws `cli.state-damaged`: what was known is not forgotten silently. */
  async #read(): Promise<Remembered> {
    return (await this.#state.readJson(isRemembered, ...this.#segments)) ?? NOTHING;
  }

  #write(remembered: Remembered): Promise<void> {
    return this.#state.write(`${JSON.stringify(remembered, null, 2)}\n`, ...this.#segments);
  }

  get #segments(): readonly string[] {
    return ['trust', `${this.#account}.json`];
  }
}
